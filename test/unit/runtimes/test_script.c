/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>

#include "base/digest.h"
#include "base/fs.h"
#include "runtimes/script.h"
#include "runtimes/temporary.h"
#include "unit.h"

static void make(struct script *script, const char *name)
{
	ck_assert_int_eq(script_init(script, name, "/usr/bin/kata", NULL, 0), 0);
}

/* --- names --- */

static const struct {
	const char *runtime, *prefix;
} names[] = {
        {"kata", "kata."},
        {"a b", "a%20b."},
        {"../../esc", "%2E.%2F..%2Fesc."},
        {".hidden", "%2Ehidden."},
        {"my/custom.runtime.v1", "my%2Fcustom.runtime.v1."},
        {"100%", "100%25."},
        {"\xc3\xa4", "%C3%A4."},
        {"A-Z_0.9", "A-Z_0.9."},
        {"k=v~+@:", "k%3Dv%7E%2B%40%3A."},
};

START_TEST(script_init_name_is_percent_encoded)
{
	struct script script;

	make(&script, names[_i].runtime);
	ck_assert_uint_eq(strlen(script.name), strlen(names[_i].prefix) + DIGEST_LENGTH);
	ck_assert_int_eq(strncmp(script.name, names[_i].prefix, strlen(names[_i].prefix)), 0);
	script_fini(&script);
}
END_TEST

START_TEST(script_init_name_ends_in_digest_of_content)
{
	char digest[DIGEST_LENGTH + 1];
	struct script script;

	make(&script, "kata");
	digest_hex(script.content, script.length, digest);
	ck_assert_str_eq(script.name + strlen("kata."), digest);
	script_fini(&script);
}
END_TEST

START_TEST(script_init_long_plain_name_is_cut_to_255)
{
	char name[301] = "";
	struct script script;

	memset(name, 'x', 300);
	make(&script, name);
	ck_assert_uint_eq(strlen(script.name), 255);
	script_fini(&script);
}
END_TEST

/* 190 bytes are left for the name: after each of 0, 1, 2 plain bytes, 63 escapes or one less fit. */
START_TEST(script_init_long_escaped_name_is_cut_between_escapes)
{
	char name[301] = "";
	struct script script;
	size_t plain = (size_t)_i, escapes = (190 - plain) / 3;

	memset(name, ' ', 300);
	memset(name, 'x', plain);
	make(&script, name);
	ck_assert_uint_eq(strlen(script.name), plain + 3 * escapes + 1 + DIGEST_LENGTH);
	ck_assert_int_eq(strncmp(script.name + plain + 3 * (escapes - 1), "%20.", 4), 0);
	script_fini(&script);
}
END_TEST

START_TEST(digest_hex_of_abc_is_the_published_one)
{
	char digest[DIGEST_LENGTH + 1];

	digest_hex("abc", 3, digest);
	ck_assert_str_eq(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

/* --- content --- */

START_TEST(script_init_content_execs_quoted_words)
{
	const char *const args[] = {"--root", "it's", ""};
	struct script script;

	ck_assert_int_eq(script_init(&script, "kata", "/usr/bin/kata", args, 3), 0);
	ck_assert_str_eq(script.content, "#!/bin/sh\nexec '/usr/bin/kata' '--root' 'it'\\''s' '' \"$@\"\n");
	ck_assert_uint_eq(script.length, strlen(script.content));
	script_fini(&script);
}
END_TEST

/* Runs the script with two more arguments under `shell`; what it prints is in `output`. */
static size_t run(const char *shell, const struct script *script, char *output, size_t size)
{
	const char *path = temporary_path("script");
	char command[1200];
	size_t length;
	FILE *pipe;
	int fd;

	write_bytes(path, script->content, script->length, 0700);
	snprintf(command, sizeof(command), "PATH=%s:$PATH %s %s own 'last one' 2>&1", temporary, shell, path);
	pipe = popen(command, "re");
	ck_assert_ptr_nonnull(pipe);
	fd = fileno(pipe);
	ck_assert_int_eq(fs_read_full(fd, output, size, &length), 0);
	ck_assert_int_eq(pclose(pipe), 0);
	return length;
}

static bool has_shell(const char *shell)
{
	char command[128];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", shell);
	return system(command) == 0;
}

static const char *const shells[] = {"dash", "bash", "'bash' --posix", "sh"};

/* `path` prints each of its arguments and a NUL. */
static void check_arguments(const char *shell, const char *path, const char *const *args, size_t count)
{
	_cleanup_text_ struct text expected = {0};
	const char *all[64] = {"%s\\0"};
	struct script script;
	char output[8192];
	size_t length;

	memcpy(all + 1, args, count * sizeof(*args));
	for (size_t i = 0; i < count; i++)
		text_append_n(&expected, args[i], strlen(args[i]) + 1);
	text_append_n(&expected, "own\0last one\0", 13);
	ck_assert_int_eq(script_init(&script, "kata", path, all, count + 1), 0);
	length = run(shell, &script, output, sizeof(output));
	ck_assert_msg(length == expected.length && memcmp(output, expected.data, length) == 0, "%s: got %.*s",
	              shell, (int)length, output);
	script_fini(&script);
}

START_TEST(script_run_hostile_arguments_arrive_unchanged)
{
	static const char *const args[] = {
	        "",         " ",        "'",       "''",       "'\\''",    "\"",    "\\",   "\\'",
	        "$HOME",    "`id`",     "$(id)",   "a\nb\n",   "\n",       "*",     "~",    "!!",
	        "--",       "-c",       ";exit 1", "&",        "|",        "#",     "\t\r", "a=b",
	        "\xff\xfe", "\xc3\xa4", "\x81'",   "\\n\\0\\", "${x:?no}", "{a,b}", "end\\"};

	if (!has_shell(shells[_i]))
		skip(shells[_i]);
	check_arguments(shells[_i], "/usr/bin/printf", args, ARRAY_SIZE(args));
}
END_TEST

START_TEST(script_run_every_byte_arrives_unchanged)
{
	char bytes[256];
	const char *const args[] = {bytes};

	for (int i = 0; i < 255; i++)
		bytes[i] = (char)(i + 1);
	bytes[255] = '\0';
	if (!has_shell(shells[_i]))
		skip(shells[_i]);
	check_arguments(shells[_i], "/usr/bin/printf", args, 1);
}
END_TEST

static const char *const odd_commands[] = {"kata", "-kata", "--", "it's", "a b", "echo", "$x\n"};

START_TEST(script_run_command_without_slash_is_found_in_path)
{
	const char *command = odd_commands[_i % (int)ARRAY_SIZE(odd_commands)];
	const char *shell = shells[_i / (int)ARRAY_SIZE(odd_commands)];
	const char *const args[] = {"x"};

	if (!has_shell(shell))
		skip(shell);
	ck_assert_int_eq(symlink("/usr/bin/printf", temporary_path(command)), 0);
	check_arguments(shell, command, args, 1);
}
END_TEST

START_TEST(script_run_relative_path_with_leading_dash_is_executed)
{
	const char *const args[] = {"x"};

	if (!has_shell(shells[_i]))
		skip(shells[_i]);
	ck_assert_int_eq(chdir(temporary), 0);
	ck_assert_int_eq(mkdir("-d", 0700), 0);
	ck_assert_int_eq(symlink("/usr/bin/printf", "-d/kata"), 0);
	check_arguments(shells[_i], "-d/kata", args, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("script");
	TCase *names_case = tcase_create("names"), *content = tcase_create("content");
	int shell_count = (int)ARRAY_SIZE(shells);

	suite_add_tcase(suite, names_case);
	tcase_add_loop_test(names_case, script_init_name_is_percent_encoded, 0, (int)ARRAY_SIZE(names));
	tcase_add_test(names_case, script_init_name_ends_in_digest_of_content);
	tcase_add_test(names_case, script_init_long_plain_name_is_cut_to_255);
	tcase_add_loop_test(names_case, script_init_long_escaped_name_is_cut_between_escapes, 0, 3);
	tcase_add_test(names_case, digest_hex_of_abc_is_the_published_one);
	suite_add_tcase(suite, content);
	tcase_add_checked_fixture(content, temporary_setup, temporary_teardown);
	tcase_add_test(content, script_init_content_execs_quoted_words);
	tcase_add_loop_test(content, script_run_hostile_arguments_arrive_unchanged, 0, shell_count);
	tcase_add_loop_test(content, script_run_every_byte_arrives_unchanged, 0, shell_count);
	tcase_add_loop_test(content, script_run_command_without_slash_is_found_in_path, 0,
	                    shell_count * (int)ARRAY_SIZE(odd_commands));
	tcase_add_loop_test(content, script_run_relative_path_with_leading_dash_is_executed, 0, shell_count);
	return unit_run(suite);
}
