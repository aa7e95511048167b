/* test_energy.c: energy by a powercap tree laid out here, by the machine's own counters, and modeled. */
#include "check.h"

#include <math.h>
#include <sys/stat.h>

static const char *root(void) { return path_in(scratch_folder, "powercap"); }

static void write_zone(const char *zone, const char *file, const char *text) {
  char folder[4096], path[8192];
  snprintf(folder, sizeof folder, "%s/%s", root(), zone);
  mkdir(root(), 0777);
  mkdir(folder, 0777);
  snprintf(path, sizeof path, "%s/%s", folder, file);
  write_file(path, text, strlen(text));
}

static qtensor_energy_reading_t room(void) {
  qtensor_energy_reading_t reading = {sizeof reading, -7, -7, -7};
  return reading;
}

static void nulls(void) {
  qtensor_energy_work_t work;
  qtensor_energy_table_t table;
  qtensor_energy_modeled_t energy = {sizeof energy, -7, -7, -7};
  qtensor_energy_meter_t *meter = (qtensor_energy_meter_t *)UNTOUCHED;
  qtensor_energy_reading_t reading = room();
  memset(&work, 0, sizeof work);
  work.struct_size = sizeof work;
  table.struct_size = sizeof table;
  NULL_CALL(qtensor_energy_table_default, "out", NULL);
  WORKS(qtensor_energy_table_default, &table);
  NULL_CALL(qtensor_energy_model, "work", NULL, &table, &energy);
  NULL_CALL(qtensor_energy_model, "table", &work, NULL, &energy);
  NULL_CALL(qtensor_energy_model, "out", &work, &table, NULL);
  NULL_CALL(qtensor_energy_meter_open, "out", NULL);
  NULL_CALL(qtensor_energy_meter_open_powercap, "root", NULL, &meter);
  NULL_CALL(qtensor_energy_meter_open_powercap, "out", root(), NULL);
  NULL_CALL(qtensor_energy_meter_start, "meter", NULL);
  NULL_CALL(qtensor_energy_meter_read, "meter", NULL, &reading);
  NULL_ANSWER(qtensor_energy_meter_packages, 0, NULL);
  NULL_ANSWER(qtensor_energy_meter_source, 0, NULL);
  NULL_FREE(qtensor_energy_meter_free);
  CHECK(energy.joules == -7 && meter == UNTOUCHED && reading.joules == -7);
}

static void a_tree_is_measured(void) {
  qtensor_energy_meter_t *meter = (qtensor_energy_meter_t *)UNTOUCHED;
  qtensor_energy_reading_t reading = room();
  REFUSES(QTENSOR_UNAVAILABLE, qtensor_energy_meter_open_powercap, root(), &meter);
  SAYS("no package");
  CHECK(meter == UNTOUCHED);
  write_zone("intel-rapl:0", "name", "package-0\n");
  write_zone("intel-rapl:0", "max_energy_range_uj", "10000000\n");
  write_zone("intel-rapl:0", "energy_uj", "9000000\n");
  WORKS(qtensor_energy_meter_open_powercap, root(), &meter);
  CHECK(qtensor_energy_meter_packages(meter) == 1);
  CHECK(qtensor_energy_meter_source(meter) == QTENSOR_ENERGY_POWERCAP);
  REFUSES(QTENSOR_UNAVAILABLE, qtensor_energy_meter_read, meter, &reading);
  SAYS("no counter has moved");
  NULL_CALL(qtensor_energy_meter_read, "out", meter, NULL);
  write_zone("intel-rapl:0", "energy_uj", "500000\n");
  WORKS(qtensor_energy_meter_read, meter, &reading);
  CHECK(fabs(reading.joules - 1.5) < 1e-12 && reading.seconds > 0);
  CHECK(reading.watts == reading.joules / reading.seconds);
  WORKS(qtensor_energy_meter_start, meter);
  write_zone("intel-rapl:0", "energy_uj", "750000\n");
  WORKS(qtensor_energy_meter_read, meter, &reading);
  CHECK(fabs(reading.joules - 0.25) < 1e-12);
  /* Set to 0 far below the range: no 99 kJ in no time. */
  write_zone("intel-rapl:0", "max_energy_range_uj", "100000000000\n");
  qtensor_energy_meter_free(meter);
  WORKS(qtensor_energy_meter_open_powercap, root(), &meter);
  write_zone("intel-rapl:0", "energy_uj", "1\n");
  reading = room();
  REFUSES(QTENSOR_UNAVAILABLE, qtensor_energy_meter_read, meter, &reading);
  SAYS("a counter was set anew since the start");
  CHECK(reading.joules == -7);
  write_zone("intel-rapl:0", "max_energy_range_uj", "10000000\n");
  qtensor_energy_meter_free(meter);
  WORKS(qtensor_energy_meter_open_powercap, root(), &meter);
  write_zone("intel-rapl:0", "energy_uj", "10000001\n");
  reading = room();
  REFUSES(QTENSOR_MALFORMED, qtensor_energy_meter_read, meter, &reading);
  SAYS("10000001");
  reading.struct_size = 8;
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_energy_meter_read, meter, &reading);
  CHECK(reading.joules == -7);
  qtensor_energy_meter_free(meter);
}

/* A measurement above 0, or none. */
static void the_machine_is_measured_or_says_that_it_cannot_be(void) {
  qtensor_energy_meter_t *meter = NULL;
  if (qtensor_energy_meter_open(&meter, NULL) == QTENSOR_OK) {
    qtensor_energy_meter_free(meter);
    WORKS(qtensor_energy_meter_open, &meter);
    CHECK(qtensor_energy_meter_packages(meter) > 0);
    qtensor_energy_reading_t reading = room();
    const qtensor_status status = qtensor_energy_meter_read(meter, &reading, NULL);
    CHECK(status == QTENSOR_OK ? reading.joules > 0 : status == QTENSOR_UNAVAILABLE);
    qtensor_energy_meter_free(meter);
  } else {
    REFUSES(QTENSOR_UNAVAILABLE, qtensor_energy_meter_open, &meter);
    SAYS("not available");
    CHECK(meter == NULL);
  }
}

static void a_model_adds_up(void) {
  qtensor_energy_work_t work;
  qtensor_energy_table_t table;
  qtensor_energy_modeled_t energy = {sizeof energy, -7, -7, -7};
  memset(&work, 0, sizeof work);
  work.struct_size = sizeof work;
  table.struct_size = sizeof table;
  WORKS(qtensor_energy_table_default, &table);
  CHECK(table.int8_adds == 0.03 && table.float_multiplies == 3.7 && table.cache_8k_bytes == 1.25);
  work.float_adds = work.float_multiplies = 1000000;
  work.memory_bytes = 1000;
  WORKS(qtensor_energy_model, &work, &table, &energy);
  CHECK(fabs(energy.operations - 4.6e-6) < 1e-15 && fabs(energy.memory - 243.75e-9) < 1e-15);
  CHECK(energy.joules == energy.operations + energy.memory);
  table.bit_operations = -1;
  REFUSES(QTENSOR_INVALID_ARGUMENT, qtensor_energy_model, &work, &table, &energy);
  SAYS("-1");
  table.struct_size = 8;
  REFUSES(QTENSOR_BUFFER_TOO_SMALL, qtensor_energy_model, &work, &table, &energy);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  nulls();
  a_tree_is_measured();
  the_machine_is_measured_or_says_that_it_cannot_be();
  a_model_adds_up();
  return done();
}
