/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#define TERM(term) \
	"could not parse GenericResource: incorrect term " term ", missing '=' or malformed expression"
#define MIXED(expression) \
	"could not parse GenericResource: mixed discrete and named resources in expression '" expression "'"

static const struct list_case resources[] = {
        {{NULL}, {NULL}},
        {{"gpu=2", "fpga=a", "fpga=b", " ssd = 1 "}, {NULL}},
        {{"gpu=GPU-1", "gpu=GPU-2", "gpu=99999999999999999999"}, {NULL}},
        {{"gpu"}, {TERM("gpu")}},
        {{"gpu=a=b"}, {TERM("gpu=a=b")}},
        {{"gpu=a", "gpu=1"}, {MIXED("gpu=[a 1]")}},
        {{"gpu=1", "ssd=2", "gpu = +2", "gpu=x"}, {MIXED("gpu=[1 +2 x]")}},
        {{"gpu=-1"}, {"could not parse GenericResource: cannot ask for negative resource gpu"}},
        {{"b=1", "x", "a=1", "b=2", "a=c", "y"}, {TERM("x"), TERM("y"), MIXED("b=[1 2]"), MIXED("a=[1 c]")}},
};

START_TEST(check_generic_resources_list_says_what_is_wrong)
{
	fixture_run_list(KEY_ID_NODE_GENERIC_RESOURCES, "node-generic-resources", &resources[_i]);
}
END_TEST

static const struct list_case options[] = {
        {{"native.cgroupdriver=systemd", " Native.CgroupDriver = cgroupfs "}, {NULL}},
        {{"native.cgroupdriver"}, {"invalid exec-opt (native.cgroupdriver): must be formatted 'opt=value'"}},
        {{"native.cgroupdriver= ", "=systemd", ""},
         {"invalid exec-opt (native.cgroupdriver= ): must be formatted 'opt=value'",
          "invalid exec-opt (=systemd): must be formatted 'opt=value'",
          "invalid exec-opt (): must be formatted 'opt=value'"}},
        {{"Native.Umask=secure"}, {"invalid exec-opt (Native.Umask=secure): unknown option: 'native.umask'"}},
        {{"Isolation=hyperv"},
         {"invalid exec-opt (Isolation=hyperv): option 'isolation' is only supported on windows"}},
};

START_TEST(check_exec_opts_list_says_what_is_wrong)
{
	fixture_run_list(KEY_ID_EXEC_OPTS, "exec-opts", &options[_i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("check_resources");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, check_generic_resources_list_says_what_is_wrong, 0, ARRAY_SIZE(resources));
	tcase_add_loop_test(tcase, check_exec_opts_list_says_what_is_wrong, 0, ARRAY_SIZE(options));
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
