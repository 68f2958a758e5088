/* Embeds a photograph from C: embed_c MODEL_DIR PHOTO */
#include <infer/c.h>
#include <stdio.h>
#include <stdlib.h>

static int give_up(const char* what, infer_code code, infer_error* error) {
  fprintf(stderr, "%s: %s: %s\n", what, infer_code_name(code), infer_error_message(error));
  infer_error_free(error);
  return 1;
}

int main(int argc, char** argv) {
  if (argc < 3) return puts("usage: embed_c MODEL_DIR PHOTO"), 2;
  FILE* file = fopen(argv[2], "rb");
  if (file == NULL) return perror(argv[2]), 1;
  fseek(file, 0, SEEK_END);
  const size_t size = (size_t)ftell(file);
  rewind(file);
  unsigned char* photo = malloc(size);
  if (fread(photo, 1, size, file) != size) return perror(argv[2]), 1;
  fclose(file);

  infer_error* error = NULL;
  infer_embedder* embedder = NULL;
  infer_code code = infer_embedder_open(argv[1], NULL, &embedder, &error);
  if (code != INFER_OK) return give_up(argv[1], code, error);
  const size_t dim = infer_embedder_dim(embedder);
  float* vector = malloc(dim * sizeof *vector);
  code = infer_embedder_embed(embedder, photo, size, vector, dim, 10000, &error);
  if (code != INFER_OK) return give_up(argv[2], code, error);
  printf("%zu numbers, the first is %f\n", dim, vector[0]);
  free(vector);
  free(photo);
  infer_embedder_free(embedder);
  return 0;
}
