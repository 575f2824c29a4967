/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The single checks, for the table in checks.c alone. Each adds all its errors to `problems`, in the order of
 * the items that it looks at.
 */
#ifndef RTREG_CHECKS_LIST_H
#define RTREG_CHECKS_LIST_H

#include "checks/checks.h"

typedef void check_fn(const struct settings *settings, struct problems *problems);

/* check_engine.c */
check_fn check_log;
check_fn check_containerd;
check_fn check_numbers;
check_fn check_ipc_mode;
check_fn check_cgroupns_mode;
/* check_network.c */
check_fn check_dns_search;
check_fn check_host_gateways;
check_fn check_hosts;
check_fn check_firewall_backend;
check_fn check_accept_fwmark;
check_fn check_fixed_cidr_v6;
/* check_labels.c */
check_fn check_labels;
/* check_resources.c */
check_fn check_generic_resources;
check_fn check_exec_opts;
/* check_registry.c */
check_fn check_mirrors;
check_fn check_insecure_registries;
/* check_runtimes.c */
check_fn check_runtimes;

#endif
