/* Measures libical: peer FILE ROUNDS ZONE START [NAME RULE FROM TO]...
   Writes lines of name, value (MB/s or microseconds of processor time) and
   count, separated by tabs. */
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void count(icalcomponent *comp, struct icaltime_span *span, void *data)
{
    (void)comp;
    (void)span;
    ++*(int *)data;
}

static char *content(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END)) {
        perror(path);
        exit(1);
    }
    *size = (size_t)ftell(f);
    rewind(f);
    char *data = malloc(*size + 1);
    if (!data || fread(data, 1, *size, f) != *size) {
        perror(path);
        exit(1);
    }
    data[*size] = 0;
    fclose(f);
    return data;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    size_t size;
    char *data = content(argv[1], &size);
    int rounds = atoi(argv[2]);
    for (int i = 0; i < rounds; i++) {
        double begin = now();
        icalcomponent *c = icalparser_parse_string(data);
        printf("parse\t%g\t0\n", (double)size / 1e6 / (now() - begin));
        if (!c)
            return 1;
        begin = now();
        char *text = icalcomponent_as_ical_string_r(c);
        /* libical keeps no octets: it always writes anew. */
        printf("serialize, changed\t%g\t0\n", (double)strlen(text) / 1e6 / (now() - begin));
        free(text);
        icalcomponent_free(c);
    }
    for (int a = 5; a + 3 < argc; a += 4) {
        char text[1024];
        snprintf(text, sizeof text,
                 "BEGIN:VEVENT\r\nUID:u\r\nDTSTART;TZID=%s:%s\r\nDURATION:PT1H\r\nRRULE:%s\r\nEND:VEVENT\r\n",
                 argv[3], argv[4], argv[a + 1]);
        icalcomponent *event = icalparser_parse_string(text);
        struct icaltimetype from = icaltime_from_string(argv[a + 2]), to = icaltime_from_string(argv[a + 3]);
        from.is_date = to.is_date = 0;
        from.zone = to.zone = icaltimezone_get_utc_timezone();
        for (int i = 0; i < rounds; i++) {
            int n = 0, calls = 0;
            double begin = now();
            do {
                n = 0;
                icalcomponent_foreach_recurrence(event, from, to, count, &n);
                calls++;
            } while (now() - begin < 0.2);
            printf("%s\t%g\t%d\n", argv[a], (now() - begin) * 1e6 / calls, n);
        }
        icalcomponent_free(event);
    }
    return 0;
}
