/*
 * The gate network written by hand, for this workload alone: what a careful programmer gets out of one core.
 *
 *     gate_network HORIZON SEED REPLICATIONS LOG YARD
 *
 * Minutes as double. One binary heap of (time, slot), whose top is replaced when its handler schedules something; first-come
 * lines as linked slots, three of them for the three priorities at the inspection; xoshiro256++ for bits, ziggurat for
 * normal and exponential numbers, inversion for triangular ones. LOG 1 also writes what zonesim records: visits of 32
 * bytes (step and number, queued, started, ended, in ms) and marks of 16 bytes, in blocks that are handed on when full.
 * YARD is the mean delay in the yard. Prints one line of JSON a replication; `seconds` is processor time of all
 * but starting the process and printing.
 *
 * Sources: D. Blackman and S. Vigna, Scrambled linear pseudorandom number generators, 2021; G. Marsaglia and W. W. Tsang,
 * The ziggurat method for generating random variables, 2000, with the 53-bit uniform numbers of J. A. Doornik, 2005.
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)

/* --- random numbers ------------------------------------------------------------------------------------------------ */

static uint64_t state[4];

static inline uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static inline uint64_t bits(void) {
    uint64_t result = rotate(state[0] + state[3], 23) + state[0], t = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotate(state[3], 45);
    return result;
}

static void set_seed(uint64_t seed) {
    for (int i = 0; i < 4; i++) { /* splitmix64 */
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        state[i] = z ^ (z >> 31);
    }
}

static inline double uniform(void) { return ((double)(bits() >> 11) + 0.5) * 0x1p-53; }

#define LAYERS 256
static const double NORMAL_EDGE = 3.6541528853610088, NORMAL_AREA = 0.00492867323399;
static const double EXPONENTIAL_EDGE = 7.69711747013104972, EXPONENTIAL_AREA = 0.0039496598225815571993;
static double normal_x[LAYERS + 1], normal_y[LAYERS + 1], exponential_x[LAYERS + 1], exponential_y[LAYERS + 1];

static void make_tables(void) {
    normal_x[0] = NORMAL_AREA / exp(-0.5 * NORMAL_EDGE * NORMAL_EDGE);
    normal_x[1] = NORMAL_EDGE;
    exponential_x[0] = EXPONENTIAL_AREA / exp(-EXPONENTIAL_EDGE);
    exponential_x[1] = EXPONENTIAL_EDGE;
    for (int i = 2; i < LAYERS; i++) {
        double x = normal_x[i - 1];
        normal_x[i] = sqrt(-2 * log(NORMAL_AREA / x + exp(-0.5 * x * x)));
        x = exponential_x[i - 1];
        exponential_x[i] = -log(EXPONENTIAL_AREA / x + exp(-x));
    }
    normal_x[LAYERS] = exponential_x[LAYERS] = 0;
    for (int i = 0; i <= LAYERS; i++) {
        normal_y[i] = exp(-0.5 * normal_x[i] * normal_x[i]);
        exponential_y[i] = exp(-exponential_x[i]);
    }
}

static double normal(void) {
    for (;;) {
        uint64_t drawn = bits();
        unsigned layer = drawn & (LAYERS - 1); /* the low 8 bits; the number takes the high 53 */
        double u = ((double)(int64_t)(drawn & ~(uint64_t)0x7ff)) * 0x1p-63;
        double x = u * normal_x[layer];
        if (LIKELY(fabs(x) < normal_x[layer + 1])) return x;
        if (layer == 0) {
            double tail, y;
            do {
                tail = -log(uniform()) / NORMAL_EDGE;
                y = -log(uniform());
            } while (2 * y < tail * tail);
            return u < 0 ? -NORMAL_EDGE - tail : NORMAL_EDGE + tail;
        }
        if (normal_y[layer] + uniform() * (normal_y[layer + 1] - normal_y[layer]) < exp(-0.5 * x * x)) return x;
    }
}

static double exponential(void) {
    for (;;) {
        uint64_t drawn = bits();
        unsigned layer = drawn & (LAYERS - 1);
        double x = ((double)(drawn >> 11) + 0.5) * 0x1p-53 * exponential_x[layer];
        if (LIKELY(x < exponential_x[layer + 1])) return x;
        if (layer == 0) return EXPONENTIAL_EDGE - log(uniform());
        if (exponential_y[layer] + uniform() * (exponential_y[layer + 1] - exponential_y[layer]) < exp(-x)) return x;
    }
}

static inline double triangular(double low, double mode, double high) {
    double u = uniform() * (high - low);
    return u < mode - low ? low + sqrt(u * (mode - low)) : high - sqrt((high - low - u) * (high - mode));
}

/* --- the workload -------------------------------------------------------------------------------------------------- */

enum { DOCUMENTS, ENTRY, INSPECTION, YARD, EXIT, STATIONS };
enum { A, B, C, CLASSES };

static const int UNITS[STATIONS] = {4, 3, 8, 0, 3};
static const double INSPECTED[CLASSES] = {0.08, 0.15, 0.30};
static double documents_mu, documents_sigma, inspection_mu, inspection_sigma, yard;

static inline double service(int station) {
    switch (station) {
    case DOCUMENTS: return exp(documents_mu + documents_sigma * normal());
    case ENTRY: return triangular(1, 2, 4.5);
    case INSPECTION: return exp(inspection_mu + inspection_sigma * normal());
    case YARD: return yard * exponential();
    default: return triangular(0.5, 1, 2);
    }
}

typedef struct {
    double arrived, queued, started;
    uint32_t number, next;
    uint8_t class, station;
} Token;

typedef struct {
    double time;
    uint32_t slot;
} Event;

typedef struct {
    uint32_t head, tail;
} Line;

#define NOBODY UINT32_MAX
#define ARRIVAL (UINT32_MAX - 1)

static double horizon;
static Token *tokens;
static uint32_t slots, vacant;
static Event *heap;
static uint32_t heap_size, heap_room;
static int top_is_done; /* the event at the top has happened, and its place is free for the next one scheduled */
static Line lines[STATIONS][CLASSES];
static int in_use[STATIONS];
static double busy[STATIONS], waited[STATIONS][CLASSES];
static int64_t begun[STATIONS][CLASSES];
static double *stays[CLASSES];
static size_t stays_count[CLASSES], stays_room[CLASSES];
static int64_t events;

static void *grown(void *old, size_t bytes) {
    void *new = realloc(old, bytes);
    if (!new) abort();
    return new;
}

static inline void sift_down(Event event) {
    uint32_t hole = 0, child;
    while ((child = 2 * hole + 1) < heap_size) {
        child += child + 1 < heap_size && heap[child + 1].time < heap[child].time;
        if (event.time <= heap[child].time) break;
        heap[hole] = heap[child];
        hole = child;
    }
    heap[hole] = event;
}

static inline void schedule(double time, uint32_t slot) {
    Event event = {time, slot};
    if (top_is_done) {
        top_is_done = 0;
        sift_down(event);
        return;
    }
    if (heap_size == heap_room) heap = grown(heap, (heap_room *= 2) * sizeof *heap);
    uint32_t hole = heap_size++;
    while (hole > 0 && time < heap[(hole - 1) / 2].time) {
        heap[hole] = heap[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    heap[hole] = event;
}

/* --- records as zonesim writes them -------------------------------------------------------------------------------- */

#define BLOCK 16384
static int logging;
static int64_t visits[BLOCK][4], marks[BLOCK][2];
static int visits_count, marks_count;
static volatile int64_t rows_taken;

__attribute__((noinline)) static void take_block(void) {
    __asm__ volatile("" : : "r"(visits), "r"(marks) : "memory"); /* the rows are wanted */
    rows_taken += visits_count + marks_count;
    visits_count = marks_count = 0;
}

static inline int64_t ms(double minutes) { return (int64_t)(minutes * 60000 + 0.5); }

static inline void log_visit(int64_t step, const Token *token, double queued, double started, double ended) {
    if (visits_count == BLOCK) take_block();
    int64_t *row = visits[visits_count++];
    row[0] = step << 40 | (int64_t)token->number << 6;
    row[1] = ms(queued);
    row[2] = ms(started);
    row[3] = ms(ended);
}

static inline void log_mark(int64_t mark, const Token *token, double now) {
    if (marks_count == BLOCK) take_block();
    int64_t *row = marks[marks_count++];
    row[0] = mark << 40 | (int64_t)token->number << 6;
    row[1] = ms(now);
}

/* --- what happens -------------------------------------------------------------------------------------------------- */

static inline void start(uint32_t slot, int station, double now) {
    Token *token = &tokens[slot];
    double end = now + service(station);
    token->started = now;
    waited[station][token->class] += now - token->queued;
    begun[station][token->class]++;
    busy[station] += (end < horizon ? end : horizon) - now;
    schedule(end, slot);
}

static inline void enter(uint32_t slot, int station, double now) {
    Token *token = &tokens[slot];
    token->station = (uint8_t)station;
    token->queued = now;
    if (station == YARD) {
        token->started = now;
        schedule(now + service(YARD), slot);
    } else if (in_use[station] < UNITS[station]) {
        in_use[station]++;
        start(slot, station, now);
    } else {
        Line *line = &lines[station][station == INSPECTION ? C - token->class : 0];
        token->next = NOBODY;
        if (line->head == NOBODY) line->head = slot;
        else tokens[line->tail].next = slot;
        line->tail = slot;
    }
}

static inline void release(int station, double now) {
    for (int rank = 0; rank < (station == INSPECTION ? CLASSES : 1); rank++) {
        Line *line = &lines[station][rank];
        uint32_t slot = line->head;
        if (slot != NOBODY) {
            line->head = tokens[slot].next;
            start(slot, station, now);
            return;
        }
    }
    in_use[station]--;
}

static void arrive(double now, uint32_t number) {
    if (vacant == NOBODY) {
        tokens = grown(tokens, 2 * slots * sizeof *tokens);
        for (uint32_t slot = slots; slot < 2 * slots; slot++) tokens[slot].next = slot + 1 < 2 * slots ? slot + 1 : NOBODY;
        vacant = slots;
        slots *= 2;
    }
    uint32_t slot = vacant;
    Token *token = &tokens[slot];
    vacant = token->next;
    double u = uniform();
    token->class = u < 0.6 ? A : u < 0.9 ? B : C;
    token->arrived = now;
    token->number = number;
    if (logging) log_mark(0, token, now);
    schedule(now + exponential(), ARRIVAL);
    enter(slot, DOCUMENTS, now);
}

static void leave(uint32_t slot, double now) {
    Token *token = &tokens[slot];
    int class = token->class;
    if (stays_count[class] == stays_room[class])
        stays[class] = grown(stays[class], (stays_room[class] *= 2) * sizeof(double));
    stays[class][stays_count[class]++] = now - token->arrived;
    if (logging) {
        log_mark(1, token, now);
        log_visit(STATIONS, token, token->arrived, token->arrived, now);
    }
    token->next = vacant;
    vacant = slot;
}

static void end_service(uint32_t slot, double now) {
    Token *token = &tokens[slot];
    int station = token->station;
    if (logging) log_visit(station, token, token->queued, token->started, now);
    if (station != YARD) release(station, now);
    switch (station) {
    case ENTRY: enter(slot, uniform() < INSPECTED[token->class] ? INSPECTION : YARD, now); break;
    case EXIT: leave(slot, now); break;
    default: enter(slot, station + 1, now);
    }
}

static void simulate(uint64_t seed) {
    uint32_t arrivals = 0;
    set_seed(seed);
    slots = heap_room = 64;
    tokens = grown(NULL, slots * sizeof *tokens);
    heap = grown(NULL, heap_room * sizeof *heap);
    for (uint32_t slot = 0; slot < slots; slot++) tokens[slot].next = slot + 1 < slots ? slot + 1 : NOBODY;
    vacant = 0;
    heap_size = 0;
    top_is_done = 0;
    events = rows_taken = 0;
    memset(in_use, 0, sizeof in_use);
    memset(busy, 0, sizeof busy);
    memset(waited, 0, sizeof waited);
    memset(begun, 0, sizeof begun);
    memset(lines, 0xff, sizeof lines); /* NOBODY */
    for (int class = 0; class < CLASSES; class++) {
        stays_count[class] = 0;
        stays_room[class] = 1024;
        stays[class] = grown(NULL, stays_room[class] * sizeof(double));
    }
    schedule(exponential(), ARRIVAL);
    while (heap[0].time < horizon) { /* an arrival is always to come */
        Event event = heap[0];
        top_is_done = 1;
        events++;
        if (event.slot == ARRIVAL) arrive(event.time, arrivals++);
        else end_service(event.slot, event.time);
        if (top_is_done) {
            top_is_done = 0;
            Event last = heap[--heap_size];
            sift_down(last);
        }
    }
    if (logging) take_block();
    free(tokens);
    free(heap);
}

/* --- answers ------------------------------------------------------------------------------------------------------- */

/* Return the element of rank k (Hoare's quickselect), with those before it not larger and those after it not smaller. */
static double ranked(double *values, size_t count, size_t k) {
    size_t low = 0, high = count - 1;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (values[i] < pivot) i++;
            while (values[j] > pivot) j--;
            if (i >= j) break;
            double swap = values[i];
            values[i++] = values[j];
            values[j--] = swap;
        }
        if (k <= j) high = j;
        else low = j + 1;
    }
    return values[k];
}

static double quantile(double *values, size_t count, double q) { /* type 7 */
    double place = q * (double)(count - 1);
    size_t k = (size_t)place;
    double here = ranked(values, count, k), next = here;
    if (k + 1 < count) {
        next = values[k + 1];
        for (size_t i = k + 2; i < count; i++)
            if (values[i] < next) next = values[i];
    }
    return here + (place - (double)k) * (next - here);
}

/* Return the peak memory in MB: of this program, where Linux says so (rusage also counts who started it). */
static double peak_mb(void) {
    char line[256];
    double kb = NAN;
    FILE *file = fopen("/proc/self/status", "r");
    if (!file) return NAN;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %lf", &kb) == 1) break;
    fclose(file);
    return kb / 1024;
}

static double share(double part, double whole) { return whole > 0 ? part / whole : NAN; }

int main(int count, char **words) {
    if (count != 6) {
        fprintf(stderr, "usage: %s HORIZON SEED REPLICATIONS LOG YARD\n", words[0]);
        return 2;
    }
    static const char *names[STATIONS] = {"documents", "entry", "inspection", "yard", "exit"};
    horizon = atof(words[1]);
    uint64_t seed = strtoull(words[2], NULL, 10);
    long replications = atol(words[3]);
    logging = atoi(words[4]);
    yard = atof(words[5]);
    for (long replication = 0; replication < replications; replication++) {
        struct timespec begin, end;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
        if (replication == 0) {
            make_tables();
            documents_sigma = sqrt(log(1 + 0.8 * 0.8));
            documents_mu = log(3) - documents_sigma * documents_sigma / 2;
            inspection_sigma = sqrt(log(2));
            inspection_mu = log(45) - inspection_sigma * inspection_sigma / 2;
        }
        simulate(seed + (uint64_t)replication);
        double sums[CLASSES] = {0}, total = 0;
        size_t completed = 0;
        for (int class = 0; class < CLASSES; class++) {
            for (size_t i = 0; i < stays_count[class]; i++) sums[class] += stays[class][i];
            total += sums[class];
            completed += stays_count[class];
        }
        double *all = grown(NULL, (completed + 1) * sizeof *all);
        size_t filled = 0;
        for (int class = 0; class < CLASSES; class++) {
            memcpy(all + filled, stays[class], stays_count[class] * sizeof *all);
            filled += stays_count[class];
        }
        double p95 = completed ? quantile(all, completed, 0.95) : NAN;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        double seconds = (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
        printf("{\"seconds\": %.9f, \"completed\": %zu, \"events\": %lld, \"rows\": %lld, \"stay.mean\": %.9g, \"stay.p95\": %.9g",
               seconds, completed, (long long)events, (long long)rows_taken, share(total, (double)completed), p95);
        for (int class = 0; class < CLASSES; class++) {
            printf(", \"stay.%c\": %.9g", 'A' + class, share(sums[class], (double)stays_count[class]));
            printf(", \"wait.inspection.%c\": %.9g", 'A' + class,
                   share(waited[INSPECTION][class], (double)begun[INSPECTION][class]));
            free(stays[class]);
        }
        for (int station = 0; station < STATIONS; station++) {
            if (station == YARD) continue;
            double sum = 0, number = 0;
            for (int class = 0; class < CLASSES; class++) {
                sum += waited[station][class];
                number += (double)begun[station][class];
            }
            printf(", \"wait.%s\": %.9g, \"use.%s\": %.9g", names[station], share(sum, number), names[station],
                   busy[station] / (UNITS[station] * horizon));
        }
        printf(", \"peak_mb\": %.3f}\n", peak_mb());
        free(all);
    }
    return 0;
}
