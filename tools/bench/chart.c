/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The results as a picture: SVG that needs nothing else, readable on a light and on a dark ground. Each series is a line
 * over x, the medians of its cases, with a bar from quartile to quartile; its name stands at its right end. What is
 * rtreg's own is drawn strongly, the rest thinly.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/axis.h"
#include "bench/output.h"

#define WIDTH       900
#define PLOT_LEFT   72
#define PLOT_RIGHT  600
#define PLOT_TOP    56
#define PLOT_HEIGHT 400
#define LABEL_X     628
#define LABEL_STEP  17 /* between two names */
#define COLOURS     8

struct point {
	const struct bench_result *result;
	struct summary summary;
	double x; /* place */
};

/* The points of one series, in the order of the cases. */
struct line {
	const char *name;
	const struct point *last; /* where the name stands */
	double label_y;
	size_t colour;
	bool ours, dashed;
};

struct chart {
	const struct bench *bench;
	struct text *text;
	struct point *points;
	size_t point_count;
	struct line *lines;
	size_t line_count;
	double *xs; /* distinct, ascending */
	size_t x_count;
	struct axis y;
	double bottom;
};

static void chart_finip(struct chart *chart)
{
	free(chart->points);
	free(chart->lines);
	free(chart->xs);
}

/* --- what is to be drawn --- */

static struct line *find_line(struct chart *chart, const char *name)
{
	for (size_t i = 0; i < chart->line_count; i++)
		if (strcmp(chart->lines[i].name, name) == 0)
			return &chart->lines[i];
	return NULL;
}

static void add_x(struct chart *chart, double x)
{
	size_t at = 0;

	while (at < chart->x_count && chart->xs[at] < x)
		at++;
	if (at < chart->x_count && !(chart->xs[at] > x))
		return;
	memmove(&chart->xs[at + 1], &chart->xs[at], (chart->x_count - at) * sizeof(*chart->xs));
	chart->xs[at] = x;
	chart->x_count++;
}

static int collect(struct chart *chart)
{
	const struct bench *bench = chart->bench;

	for (size_t i = 0; i < bench->count; i++) {
		const struct bench_result *result = &bench->results[i];
		struct point *point = &chart->points[chart->point_count];
		int r;

		if (!*result->subject.series)
			continue;
		r = summarize(result->figures, bench->rounds, &point->summary);
		if (r < 0)
			return r;
		point->result = result;
		chart->point_count++;
		add_x(chart, result->subject.x);
		if (!find_line(chart, result->subject.series))
			chart->lines[chart->line_count++] = (struct line){
			        .name = result->subject.series,
			        .ours = result->subject.ours,
			};
	}
	return 0;
}

/* Round robin, each kind by itself: eight colours, then the same dashed. */
static void choose_colours(struct chart *chart)
{
	size_t used = 0;

	for (int ours = 1; ours >= 0; ours--)
		for (size_t i = 0; i < chart->line_count; i++)
			if (chart->lines[i].ours == ours) {
				chart->lines[i].colour = used % COLOURS;
				chart->lines[i].dashed = used / COLOURS % 2 == 1;
				used++;
			}
}

static double place_x(const struct chart *chart, double x)
{
	const double first = chart->xs[0], last = chart->xs[chart->x_count - 1];
	const double left = PLOT_LEFT + 40, right = PLOT_RIGHT - 40;

	if (chart->x_count < 2)
		return (left + right) / 2;
	if (chart->bench->subcommand->x_logarithmic)
		return left + (right - left) * log(x / first) / log(last / first);
	return left + (right - left) * (x - first) / (last - first);
}

static void place_points(struct chart *chart)
{
	double least = INFINITY, most = 0;

	for (size_t i = 0; i < chart->point_count; i++) {
		struct point *point = &chart->points[i];
		struct line *line = find_line(chart, point->result->subject.series);

		point->x = place_x(chart, point->result->subject.x);
		least = fmin(least, point->summary.lower);
		most = fmax(most, point->summary.upper);
		if (!line->last || point->x > line->last->x)
			line->last = point;
	}
	axis_init(&chart->y, least > 0 ? least : 1e-3, most, chart->bottom, PLOT_TOP);
}

static int compare_ends(const void *a, const void *b)
{
	const struct line *left = a, *right = b;

	return (left->label_y > right->label_y) - (left->label_y < right->label_y);
}

/* Names from top to bottom, each near its line and none on another; as many as there are fit. */
static void place_labels(struct chart *chart)
{
	double room = chart->bottom;

	for (size_t i = 0; i < chart->line_count; i++)
		chart->lines[i].label_y = axis_place(&chart->y, chart->lines[i].last->summary.median);
	qsort(chart->lines, chart->line_count, sizeof(*chart->lines), compare_ends);
	for (size_t i = chart->line_count; i > 0; i--) {
		struct line *line = &chart->lines[i - 1];

		line->label_y = fmin(line->label_y, room);
		room = line->label_y - LABEL_STEP;
	}
	room = PLOT_TOP;
	for (size_t i = 0; i < chart->line_count; i++) {
		struct line *line = &chart->lines[i];

		line->label_y = fmax(line->label_y, room);
		room = line->label_y + LABEL_STEP;
	}
}

/* --- drawing --- */

static void append_escaped(struct text *text, const char *string)
{
	for (; *string; string++)
		if (*string == '<')
			text_append(text, "&lt;");
		else if (*string == '>')
			text_append(text, "&gt;");
		else if (*string == '&')
			text_append(text, "&amp;");
		else
			text_append_char(text, *string);
}

static void draw_head(const struct chart *chart)
{
	const int height = (int)chart->bottom + 64;

	text_printf(chart->text,
	            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
	            "height=\"%d\">\n",
	            WIDTH, height, WIDTH, height);
	text_append(chart->text,
	            "<style>\n"
	            "text { font: 13px sans-serif; fill: #24292f }\n"
	            ".title { font-size: 16px; font-weight: bold }\n"
	            ".grid { stroke: #d0d7de } .lead { stroke: #8c959f; stroke-dasharray: 1 3 }\n"
	            ".line { fill: none; stroke-width: 1.5 } .ours { stroke-width: 3.5 }\n"
	            ".dashed { stroke-dasharray: 7 4 } .strong { font-weight: bold }\n"
	            ".c0 { stroke: #3b82f6 } .c1 { stroke: #e0662f } .c2 { stroke: #2ea36f } .c3 { stroke: "
	            "#b45fd0 }\n"
	            ".c4 { stroke: #c29a1c } .c5 { stroke: #e05080 } .c6 { stroke: #20a4b8 } .c7 { stroke: "
	            "#858b94 }\n"
	            "@media (prefers-color-scheme: dark) {\n"
	            "text { fill: #e6edf3 } .grid { stroke: #3d444d } .lead { stroke: #7d8590 }\n"
	            "}\n"
	            "</style>\n");
	text_append(chart->text, "<title>rtreg-bench ");
	append_escaped(chart->text, chart->bench->subcommand->name);
	text_printf(chart->text, "</title>\n<text class=\"title\" x=\"%d\" y=\"24\">", PLOT_LEFT);
	append_escaped(chart->text, chart->bench->subcommand->help);
	text_append(chart->text, "</text>\n");
}

static void draw_y_axis(const struct chart *chart)
{
	text_printf(chart->text, "<text x=\"%d\" y=\"44\">", PLOT_LEFT);
	append_escaped(chart->text, chart->bench->subcommand->y_label);
	text_printf(chart->text, "%s</text>\n", chart->y.logarithmic ? " (logarithmic)" : "");
	for (size_t i = 0; i < chart->y.tick_count; i++) {
		const double y = axis_place(&chart->y, chart->y.ticks[i]);

		text_printf(chart->text,
		            "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>\n"
		            "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
		            PLOT_LEFT, y, PLOT_RIGHT, y, PLOT_LEFT - 8, y + 4);
		output_figure(chart->text, chart->points[0].result->subject.unit, chart->y.ticks[i]);
		text_append(chart->text, "</text>\n");
	}
}

/* With commas between the thousands. */
static void append_count(struct text *text, double number)
{
	if (number >= 1000 && !(fmod(number, 1) > 0)) {
		append_count(text, floor(number / 1000));
		text_printf(text, ",%03.0f", fmod(number, 1000));
	} else {
		text_printf(text, "%g", number);
	}
}

static void draw_x_axis(const struct chart *chart)
{
	for (size_t i = 0; i < chart->x_count; i++) {
		text_printf(chart->text, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
		            place_x(chart, chart->xs[i]), chart->bottom + 22);
		append_count(chart->text, chart->xs[i]);
		text_append(chart->text, "</text>\n");
	}
	text_printf(chart->text, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"middle\">",
	            (PLOT_LEFT + PLOT_RIGHT) / 2, chart->bottom + 44);
	append_escaped(chart->text, chart->bench->subcommand->x_label);
	text_append(chart->text, "</text>\n");
}

static void open_path(const struct chart *chart, const struct line *line, bool dashed)
{
	text_printf(chart->text, "<path class=\"line c%zu%s%s\" d=\"", line->colour,
	            line->ours ? " ours" : "", dashed ? " dashed" : "");
}

/* Each name at its line, and the cost at the end. */
static void draw_label(const struct chart *chart, const struct line *line)
{
	const double y = axis_place(&chart->y, line->last->summary.median);

	text_printf(chart->text,
	            "<path class=\"line lead\" d=\"M%.1f %.1f L%d %.1f\"/>\n<text class=\"%s\" x=\"%d\" "
	            "y=\"%.1f\">",
	            line->last->x + 6, y, LABEL_X - 4, line->label_y, line->ours ? "strong" : "plain",
	            LABEL_X, line->label_y + 4);
	append_escaped(chart->text, line->name);
	text_append(chart->text, ": ");
	output_figure(chart->text, line->last->result->subject.unit, line->last->summary.median);
	text_append(chart->text, "</text>\n");
}

static void draw_line(const struct chart *chart, const struct line *line)
{
	const char *move = "M";

	open_path(chart, line, line->dashed);
	for (size_t i = 0; i < chart->point_count; i++) {
		const struct point *point = &chart->points[i];

		if (strcmp(point->result->subject.series, line->name) != 0)
			continue;
		text_printf(chart->text, "%s%.1f %.1f ", move, point->x,
		            axis_place(&chart->y, point->summary.median));
		move = "L";
	}
	text_append(chart->text, "\"/>\n");
	for (size_t i = 0; i < chart->point_count; i++) {
		const struct point *point = &chart->points[i];
		const struct summary *summary = &point->summary;

		if (strcmp(point->result->subject.series, line->name) != 0)
			continue;
		open_path(chart, line, false);
		text_printf(chart->text, "M%.1f %.1f V%.1f M%.1f %.1f h8\"/>\n", point->x,
		            axis_place(&chart->y, summary->lower), axis_place(&chart->y, summary->upper),
		            point->x - 4, axis_place(&chart->y, summary->median));
	}
	draw_label(chart, line);
}

static int chart_make(struct chart *chart)
{
	const size_t count = chart->bench->count;
	int r;

	chart->points = calloc(count + 1, sizeof(*chart->points));
	chart->lines = calloc(count + 1, sizeof(*chart->lines));
	chart->xs = calloc(count + 1, sizeof(*chart->xs));
	if (!chart->points || !chart->lines || !chart->xs)
		return -ENOMEM;
	r = collect(chart);
	if (r < 0)
		return r;
	chart->bottom = PLOT_TOP + fmax(PLOT_HEIGHT, (double)chart->line_count * LABEL_STEP);
	if (chart->point_count > 0) {
		choose_colours(chart);
		place_points(chart);
		place_labels(chart);
	}
	return 0;
}

int output_chart(struct text *text, const struct bench *bench)
{
	_cleanup_(chart_finip) struct chart chart = {.bench = bench, .text = text};
	const int r = chart_make(&chart);

	if (r < 0)
		return r;
	draw_head(&chart);
	if (chart.point_count > 0) {
		draw_y_axis(&chart);
		draw_x_axis(&chart);
	}
	for (size_t i = 0; i < chart.line_count; i++)
		draw_line(&chart, &chart.lines[i]);
	text_append(text, "</svg>\n");
	return text->failed ? -ENOMEM : 0;
}
