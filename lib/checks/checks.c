/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of validation, which is the order of the messages (CONTRACT section 4). */
#include "checks/checks.h"

#include "checks/list.h"

static check_fn *const table[] = {
        check_log,                 /* C30 */
        check_containerd,          /* C31 */
        check_dns_search,          /* C32 */
        check_host_gateways,       /* C33 */
        check_labels,              /* C34 */
        check_numbers,             /* C35 */
        check_generic_resources,   /* C36 */
        check_hosts,               /* C37 */
        check_exec_opts,           /* C38 */
        check_ipc_mode,            /* C39 */
        check_firewall_backend,    /* C39 */
        check_cgroupns_mode,       /* C39 */
        check_accept_fwmark,       /* C39 */
        check_fixed_cidr_v6,       /* C39 */
        check_mirrors,             /* C39 */
        check_insecure_registries, /* C39 */
        check_runtimes,            /* C40 */
};

void checks_run(const struct settings *settings, struct problems *problems)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		table[i](settings, problems);
}
