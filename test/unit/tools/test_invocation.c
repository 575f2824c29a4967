/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "runtime/invocation.h"
#include "unit.h"

#define WORDS_MAX 32

/* A command line without quoting: words between single blanks; two blanks hold an empty word. */
struct line {
	char text[512];
	char *argv[WORDS_MAX];
	int argc;
};

static void split(struct line *line, const char *words)
{
	char *rest = line->text;

	line->argc = 0;
	snprintf(line->text, sizeof(line->text), "rtreg-runtime%s%s", *words ? " " : "", words);
	while (rest) {
		ck_assert_int_lt(line->argc, WORDS_MAX - 1);
		line->argv[line->argc++] = strsep(&rest, " ");
	}
	line->argv[line->argc] = NULL;
}

static void same(const char *words, const char *what, const char *is, const char *expected)
{
	if (is != expected && (!is || !expected || strcmp(is, expected) != 0))
		ck_abort_msg("'%s': %s is %s, not %s", words, what, is ? is : "none",
		             expected ? expected : "none");
}

/* --- the container --- */

static const struct {
	const char *words, *command, *container, *other;
} containers[] = {
        /* as containerd, dockerd, CRI-O and conmon write them */
        {"--root /r --log /l --log-format json create --bundle /b --pid-file /p web", "create", "web", NULL},
        {"--root /r --log /l --log-format json --systemd-cgroup create --bundle /b --pid-file /p "
         "--console-socket /s web",
         "create", "web", NULL},
        {"--root /r --log /l --log-format json exec --process /p.json --console-socket /s --detach "
         "--pid-file /f "
         "web",
         "exec", "web", NULL},
        {"--root /r --log /l --log-format json kill --all web 9", "kill", "web", NULL},
        {"--root /r --log /l --log-format json kill web 15", "kill", "web", NULL},
        {"--root /r --log /l --log-format json delete --force web", "delete", "web", NULL},
        {"--root /r --log /l --log-format json events --stats web", "events", "web", NULL},
        {"--root /r --log /l --log-format json ps --format json web", "ps", "web", NULL},
        {"--root /r --log /l --log-format json update --resources - web", "update", "web", NULL},
        {"--root /r --log=/l --log-format=json checkpoint --image-path /i --work-path /w --leave-running web",
         "checkpoint", "web", NULL},
        {"--root=/r restore --image-path /i --work-path /w --bundle /b --pid-file /p --detach web", "restore",
         "web", NULL},
        {"--rootless=auto --systemd-cgroup state web", "state", "web", NULL},
        {"--rootless auto state web", "state", "web", NULL},
        {"--cgroup-manager systemd state web", "state", "web", NULL},
        /* options whose value looks like something else */
        {"exec --env --root -u 0:0 -e A=b web sh -c x", "exec", "web", NULL},
        {"exec --cwd state web true", "exec", "web", NULL},
        {"update -r - web", "update", "web", NULL},
        {"run --bundle create web", "run", "web", NULL},
        {"--criu state state web", "state", "web", NULL},
        /* what stands behind the container is not looked at */
        {"exec web sh --root /x -d", "exec", "web", NULL},
        {"exec web -- sh", "exec", "web", NULL},
        {"exec -- web sh", "exec", "web", NULL},
        {"ps web -ef --format", "ps", "web", NULL},
        {"kill web -9", "kill", "web", NULL},
        /* behind the container, where runc allows it */
        {"run web --bundle /b --detach", "run", "web", NULL},
        {"delete web --force", "delete", "web", NULL},
        {"delete -- web", "delete", "web", NULL},
        {"delete -- -web", "delete", "-web", NULL},
        {"-- state web", "state", "web", NULL},
        /* Go's one dash, getopt's letters, attached values, and beginnings of names */
        {"-root /r -log /l state web", "state", "web", NULL},
        {"run -bundle /b -d web", "run", "web", NULL},
        {"run -b/b -d web", "run", "web", NULL},
        {"run -db /b web", "run", "web", NULL},
        {"exec -tde A=b web sh", "exec", "web", NULL},
        {"exec -t web sh", "exec", "web", NULL},
        {"exec --tty=/dev/x web sh", "exec", "web", NULL},
        {"exec --cons /s web", "exec", "web", NULL},
        {"create -f other.json web", "create", "web", NULL},
        {"delete -f web", "delete", "web", NULL},
        /* no container */
        {"list", "list", NULL, NULL},
        {"list -f json", "list", NULL, NULL},
        {"features", "features", NULL, NULL},
        {"spec --bundle /b", "spec", NULL, NULL},
        {"spec extra", "spec", NULL, NULL},
        {"create", "create", NULL, NULL},
        {"create --bundle", "create", NULL, NULL},
        {"create --bundle web", "create", NULL, NULL},
        {"delete --regex ^web", "delete", NULL, NULL},
        {"kill -r ^web 9", "kill", NULL, NULL},
        {"exec --help web", "exec", NULL, NULL},
        {"run -h", "run", NULL, NULL},
        {"state -? web", "state", NULL, NULL},
        /* options that nobody knows */
        {"state --new=x web", "state", "web", NULL},
        {"state --new web", "state", "web", NULL},
        {"state --new x web", "state", "web", NULL},
        {"create --new x --bundle /b web", "create", "web", NULL},
        {"create --new --bundle /b web", "create", "web", NULL},
        {"create --bundle /b web --new x", "create", "web", NULL},
        {"kill --new web 9", "kill", "web", "9"},
        {"kill --new x web 9", "kill", "web", NULL},
        {"exec --new x web sh", "exec", "x", "web"},
        {"exec --new web", "exec", "web", NULL},
        {"exec --new -d web sh", "exec", "web", NULL},
        {"--new state web", "state", "web", NULL},
        {"--new x state web", "state", "web", NULL},
        {"--new=state state web", "state", "web", NULL},
        /* a command that nobody knows */
        {"mend web now", "mend", "web", NULL},
        {"mend --new x web", "mend", "x", "web"},
        {"", NULL, NULL, NULL},
        {"--root /r", NULL, NULL, NULL},
        {"--root", NULL, NULL, NULL},
};

START_TEST(invocation_of_many_forms_tells_command_and_container)
{
	struct invocation invocation;
	struct line line;

	split(&line, containers[_i].words);
	invocation_read(&invocation, line.argc, line.argv);
	same(containers[_i].words, "the command",
	     invocation.command_at ? line.argv[invocation.command_at] : NULL, containers[_i].command);
	same(containers[_i].words, "the container", invocation.container, containers[_i].container);
	same(containers[_i].words, "the other", invocation.other, containers[_i].other);
}
END_TEST

/* --- options --- */

static const struct {
	const char *words, *root, *log, *bundle, *config;
	bool json, detach;
} options[] = {
        {"--root /r --log /l --log-format json create --bundle /b web", "/r", "/l", "/b", NULL, true, false},
        {"--root=/r --log=/l --log-format=json create --bundle=/b web", "/r", "/l", "/b", NULL, true, false},
        {"-root=/r -log /l -log-format=text create -b=/b web", "/r", "/l", "/b", NULL, false, false},
        {"--root /a --root /r create -b /a -b /b web", "/r", NULL, "/b", NULL, false, false},
        {"--root= create web", "", NULL, NULL, NULL, false, false},
        {"--log file:/l create -f c.json web", NULL, "file:/l", NULL, "c.json", false, false},
        {"run -d web", NULL, NULL, NULL, NULL, false, true},
        {"run --detach=true web", NULL, NULL, NULL, NULL, false, true},
        {"run --detach=false web", NULL, NULL, NULL, NULL, false, false},
        {"run -d=0 web", NULL, NULL, NULL, NULL, false, false},
        {"run web -d", NULL, NULL, NULL, NULL, false, true},
        {"run -- web -d", NULL, NULL, NULL, NULL, false, false},
        {"run --bundle -d web", NULL, NULL, "-d", NULL, false, false},
        {"run --new --bundle /b web", NULL, NULL, "/b", NULL, false, false},
        {"exec web run --root /x --bundle /b", NULL, NULL, NULL, NULL, false, false},
};

START_TEST(invocation_of_known_options_keeps_their_values)
{
	const char *words = options[_i].words;
	struct invocation invocation;
	struct line line;

	split(&line, words);
	invocation_read(&invocation, line.argc, line.argv);
	same(words, "the root", invocation.root, options[_i].root);
	same(words, "the log", invocation.log, options[_i].log);
	same(words, "the bundle", invocation.bundle, options[_i].bundle);
	same(words, "the config", invocation.config, options[_i].config);
	ck_assert_msg(invocation.log_json == options[_i].json, "'%s': json", words);
	ck_assert_msg(invocation.detach == options[_i].detach, "'%s': detach", words);
}
END_TEST

static const struct {
	const char *words;
	bool version, help, command_help;
} questions[] = {
        {"--version", true, false, false},
        {"-v", true, false, false},
        {"-V", true, false, false},
        {"--root /r --version", true, false, false},
        {"--help", false, true, false},
        {"-h", false, true, false},
        {"help", false, true, false},
        {"help run", false, false, false},
        {"run --help", false, false, true},
        {"run -h web", false, false, true},
        {"exec web --help", false, false, false},
        {"exec web -v", false, false, false},
        {"--log --version state web", false, false, false},
};

START_TEST(invocation_of_questions_tells_who_is_asked)
{
	const char *words = questions[_i].words;
	struct invocation invocation;
	struct line line;

	split(&line, words);
	invocation_read(&invocation, line.argc, line.argv);
	ck_assert_msg(invocation.version == questions[_i].version, "'%s': version", words);
	ck_assert_msg(invocation.help == questions[_i].help, "'%s': help", words);
	ck_assert_msg(invocation.command_help == questions[_i].command_help, "'%s': help of the command",
	              words);
}
END_TEST

START_TEST(invocation_is_log_tells_the_word_and_where_its_value_is)
{
	struct invocation invocation;
	struct line line;
	bool joined;

	split(&line, "--root /r --log /l -log=/m --log-format json state web");
	invocation_read(&invocation, line.argc, line.argv);
	for (int at = 1; at < invocation.command_at; at++) {
		bool is = invocation_is_log(&invocation, at, &joined);

		ck_assert_int_eq(is, at == 3 || at == 5);
		if (is)
			ck_assert_int_eq(joined, at == 5);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("invocation");
	TCase *tcase = tcase_create("invocation");

	tcase_add_loop_test(tcase, invocation_of_many_forms_tells_command_and_container, 0,
	                    (int)(sizeof(containers) / sizeof(containers[0])));
	tcase_add_loop_test(tcase, invocation_of_known_options_keeps_their_values, 0,
	                    (int)(sizeof(options) / sizeof(options[0])));
	tcase_add_loop_test(tcase, invocation_of_questions_tells_who_is_asked, 0,
	                    (int)(sizeof(questions) / sizeof(questions[0])));
	tcase_add_test(tcase, invocation_is_log_tells_the_word_and_where_its_value_is);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
