/* Classifies images with a Caffe2 model in integers: weights and activations are codes, and from one
 * layer to the next they stay codes.
 *
 *   classify MODEL.minidb TRAIN.minidb TEST.minidb [BITS]
 *
 * MODEL has the layers fc1 to fc3, each a weight fcN_w [outputs, inputs] and a bias fcN_b; TRAIN and
 * TEST have images in `data` and their `label`. Weights get BITS bits, 8 unless it says otherwise, with
 * a scale and a bias for each output; activations get 8, for the range that TRAIN shows.
 */
#include <caffe2_qtensor.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 3, ACTIVATION_BITS = 8 };

typedef struct {
  qtensor_packed_t *weights;
  const float *added;
  size_t added_count;
  /* The largest input that TRAIN shows. */
  double largest;
} layer_t;

static qtensor_error_t *error = NULL;

/* Ends the program where a call failed. */
static void check(qtensor_status status, const char *what) {
  if (status != QTENSOR_OK) {
    fprintf(stderr, "classify: %s: %s\n", what, qtensor_error_message(error));
    exit(EXIT_FAILURE);
  }
}

static void *allocate(size_t count, size_t size) {
  void *memory = calloc(count == 0 ? 1 : count, size);
  if (memory == NULL) {
    fprintf(stderr, "classify: out of memory\n");
    exit(EXIT_FAILURE);
  }
  return memory;
}

static qtensor_blobs_t *load(const char *path) {
  qtensor_blobs_t *blobs = NULL;
  check(qtensor_blobs_load(path, &blobs, &error), path);
  return blobs;
}

/* A blob of elements by its name. */
static const qtensor_dense_t *find(const qtensor_blobs_t *blobs, const char *name, int32_t type,
                                   size_t ndim) {
  for (size_t i = 0; i < qtensor_blobs_count(blobs); i++) {
    size_t length = 0;
    const char *own = qtensor_blobs_name(blobs, i, &length);
    const qtensor_dense_t *dense = qtensor_blobs_dense(blobs, i);
    if (strlen(name) == length && strncmp(own, name, length) == 0 &&
        qtensor_dense_element_type(dense) == type && qtensor_dense_ndim(dense) == ndim) {
      return dense;
    }
  }
  fprintf(stderr, "classify: there is no blob %s of this kind\n", name);
  exit(EXIT_FAILURE);
}

/* Weights of so many bits, from the smallest to the largest of each output. */
static qtensor_packed_t *pack(const qtensor_dense_t *dense, uint8_t bits) {
  const int64_t *dims = qtensor_dense_dims(dense);
  const float *values = (const float *)qtensor_dense_data(dense);
  const size_t outputs = (size_t)dims[0], inputs = (size_t)dims[1];
  double *scales = (double *)allocate(outputs, sizeof *scales);
  double *biases = (double *)allocate(outputs, sizeof *biases);
  for (size_t n = 0; n < outputs; n++) {
    double low = INFINITY, high = -INFINITY;
    for (size_t k = 0; k < inputs; k++) {
      low = fmin(low, values[n * inputs + k]);
      high = fmax(high, values[n * inputs + k]);
    }
    scales[n] = high > low ? (high - low) / ((1 << bits) - 1) : 1;
    biases[n] = low / scales[n];
  }
  qtensor_t *tensor = NULL;
  qtensor_packed_t *packed = NULL;
  check(qtensor_create_with(dims, 2, bits, false, &tensor, &error), "weights");
  check(qtensor_set_channels(tensor, 0, scales, biases, outputs, &error), "weights");
  check(qtensor_quantize(tensor, values, outputs * inputs, NULL, NULL, &error), "weights");
  check(qtensor_packed_create(tensor, &packed, &error), "weights");
  qtensor_free(tensor);
  free(scales);
  free(biases);
  return packed;
}

/* The largest input of each layer, by products of floats. */
static void observe(layer_t layers[LAYERS], const qtensor_dense_t *images) {
  size_t count = qtensor_dense_size(images);
  const float *values = (const float *)qtensor_dense_data(images);
  float *own = NULL;
  for (int i = 0; i < LAYERS; i++) {
    for (size_t k = 0; k < count; k++) {
      layers[i].largest = fmax(layers[i].largest, values[k]);
    }
    const size_t rows = count / qtensor_packed_columns(layers[i].weights);
    const size_t next_count = rows * qtensor_packed_rows(layers[i].weights);
    float *next = (float *)allocate(next_count, sizeof *next);
    check(qtensor_product_floats(values, count, NULL, layers[i].weights, layers[i].added,
                                 layers[i].added_count, next, next_count, NULL, &error),
          "training images");
    for (size_t k = 0; k < next_count; k++) {
      next[k] = fmaxf(next[k], 0);
    }
    free(own);
    values = own = next;
    count = next_count;
  }
  free(own);
}

/* Unsigned codes from 0 to the largest value. */
static qtensor_t *activations(size_t rows, size_t columns, double largest) {
  const int64_t dims[2] = {(int64_t)rows, (int64_t)columns};
  qtensor_t *tensor = NULL;
  check(qtensor_create_with(dims, 2, ACTIVATION_BITS, false, &tensor, &error), "activations");
  check(qtensor_set_scale(tensor, largest / ((1 << ACTIVATION_BITS) - 1), &error), "activations");
  return tensor;
}

/* The class of each image. */
static void classify(const layer_t layers[LAYERS], const qtensor_dense_t *images,
                     int64_t *classes) {
  const size_t rows = (size_t)qtensor_dense_dims(images)[0];
  const size_t size = qtensor_dense_size(images);
  qtensor_t *x = activations(rows, qtensor_packed_columns(layers[0].weights), layers[0].largest);
  check(qtensor_quantize(x, (const float *)qtensor_dense_data(images), size, NULL, NULL, &error),
        "images");
  for (int i = 0; i < LAYERS; i++) {
    const size_t outputs = qtensor_packed_rows(layers[i].weights);
    qtensor_t *next = NULL;
    if (i + 1 < LAYERS) {
      /* Without a sign what is below 0 becomes 0: a ReLU. */
      next = activations(rows, outputs, layers[i + 1].largest);
    } else {
      /* Of the last layer only the order counts; 16 bits and a sign hold it. */
      const int64_t dims[2] = {(int64_t)rows, (int64_t)outputs};
      check(qtensor_create_with(dims, 2, 16, true, &next, &error), "scores");
      check(qtensor_set_scale(next, 1e-3, &error), "scores");
    }
    check(qtensor_product_codes(x, layers[i].weights, layers[i].added, layers[i].added_count, next,
                                NULL, &error),
          "product");
    qtensor_free(x);
    x = next;
  }
  check(qtensor_argmax(x, classes, rows, &error), "classes");
  qtensor_free(x);
}

int main(int argc, char **argv) {
  const int bits = argc == 5 ? atoi(argv[4]) : 8;
  if (argc < 4 || argc > 5 || bits < 1 || bits > 8) {
    fprintf(stderr, "usage: classify MODEL.minidb TRAIN.minidb TEST.minidb [BITS]\n");
    return EXIT_FAILURE;
  }
  qtensor_blobs_t *model = load(argv[1]), *train = load(argv[2]), *test = load(argv[3]);
  layer_t layers[LAYERS] = {{NULL, NULL, 0, 0}};
  size_t bytes = 0;
  for (int i = 0; i < LAYERS; i++) {
    char name[8];
    snprintf(name, sizeof name, "fc%d_w", i + 1);
    layers[i].weights = pack(find(model, name, QTENSOR_ELEMENT_FLOAT, 2), (uint8_t)bits);
    snprintf(name, sizeof name, "fc%d_b", i + 1);
    const qtensor_dense_t *added = find(model, name, QTENSOR_ELEMENT_FLOAT, 1);
    layers[i].added = (const float *)qtensor_dense_data(added);
    layers[i].added_count = qtensor_dense_size(added);
    bytes += qtensor_packed_nbytes(layers[i].weights);
  }
  observe(layers, find(train, "data", QTENSOR_ELEMENT_FLOAT, 2));

  const qtensor_dense_t *images = find(test, "data", QTENSOR_ELEMENT_FLOAT, 2);
  const qtensor_dense_t *labels = find(test, "label", QTENSOR_ELEMENT_INT32, 1);
  const size_t count = qtensor_dense_size(labels);
  if (count != (size_t)qtensor_dense_dims(images)[0]) {
    fprintf(stderr, "classify: there are not as many images as labels\n");
    return EXIT_FAILURE;
  }
  int64_t *classes = (int64_t *)allocate(count, sizeof *classes);
  classify(layers, images, classes);
  size_t right = 0;
  for (size_t i = 0; i < count; i++) {
    right += classes[i] == ((const int32_t *)qtensor_dense_data(labels))[i];
  }
  printf("%zu of %zu images right, weights of %d bits in %zu bytes, activations of %d bits\n",
         right, count, bits, bytes, ACTIVATION_BITS);
  free(classes);
  for (int i = 0; i < LAYERS; i++) {
    qtensor_packed_free(layers[i].weights);
  }
  qtensor_blobs_free(model);
  qtensor_blobs_free(train);
  qtensor_blobs_free(test);
  return EXIT_SUCCESS;
}
