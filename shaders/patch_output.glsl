// How a workgroup of patch.comp stores its outputs: each invocation its own, or all of them put in order in shared memory, so
// that neighbouring invocations store neighbours in memory, VECTOR at a time.
#ifndef VKTCONV_PATCH_OUTPUT_GLSL_
#define VKTCONV_PATCH_OUTPUT_GLSL_

struct OutputBlock {
  uvec2 first_output;  // of the phase: depth, height
  uint first_patch;
  uint end_patch;
  uint first_channel;  // within the group
  uint bias_index;     // of the first channel, and in the vectors of the post-ops
  uint base;           // where the first channel begins in the output, image 0
};

// Rows of outputs of a channel, depth and height: row i of a patch is row_of_channel(i) behind its first.
uvec2 row_of_channel(uint row) {
  return uvec2(row / (CELLS_H * PHASES_H), row / PHASES_H % CELLS_H * STRIDE_H + row % PHASES_H);
}

// Where a patch's outputs begin.
uvec3 patch_output(OutputBlock target, Patch from) {
  return uvec3(target.first_output, 0u) + from.cell * uvec3(STRIDE_D, STRIDE_H, STRIDE_W);
}

uint output_index(OutputBlock target, uint image, uvec3 at) {
  return target.base + image * OUTPUT_IMAGE + ((at.x * OUTPUT_H + at.y) * OUTPUT_W + at.z) * OUTPUT_PIXEL_STRIDE;
}

void add_bias(OutputBlock target) {
  [[unroll]] for (uint channel = 0; channel < CHANNELS; ++channel) {
    Accumulator bias = Accumulator(0);
    if (target.first_channel + channel < OUT_CHANNELS) bias = LOAD_BIAS(BIAS, target.bias_index + channel);
    [[unroll]] for (uint i = 0; i < CHANNEL_ROWS * RUN; ++i) sums[channel * CHANNEL_ROWS * RUN + i] += bias;
  }
}

#if defined(PACKED_16BIT)
#define STORE_VECTOR(index, values)
#else
#define STORE_VECTOR(index, values) VIEW_REF(OutputVectors, output_tensor).words[(index) / VECTOR] = pack_vector(values)

// Sixteen bytes.
uvec4 pack_vector(float values[VECTOR]) {
  uvec4 words;
  [[unroll]] for (uint i = 0; i < 4u; ++i) {
#if !defined(DATA_F32)
    if (OUTPUT_TYPE != TYPE_F32) {
      words[i] = encode_half(values[2u * i % VECTOR]) | (encode_half(values[(2u * i + 1u) % VECTOR]) << 16);
      continue;
    }
#endif
    words[i] = floatBitsToUint(values[i % VECTOR]);
  }
  return words;
}
#endif

void store_directly(OutputBlock target) {
  const uint own_patch = target.first_patch + gl_LocalInvocationID.x;
  if (own_patch >= target.end_patch) return;
  const Patch from = decode_patch(own_patch);
  const uvec3 first = patch_output(target, from);
  [[unroll]] for (uint channel = 0; channel < CHANNELS; ++channel) {
    if (target.first_channel + channel < OUT_CHANNELS) {
      const float scale = CHANNEL_SCALE(target.bias_index + channel), shift = CHANNEL_SHIFT(target.bias_index + channel);
      [[unroll]] for (uint row = 0; row < CHANNEL_ROWS; ++row) {
        const uvec3 at = first + uvec3(row_of_channel(row), 0u);
        const uint index = output_index(target, from.image, at) + channel * OUTPUT_CHANNEL_STRIDE;
        const uint first_sum = (channel * CHANNEL_ROWS + row) * RUN;
        if (at.x >= OUTPUT_D || at.y >= OUTPUT_H || at.z >= OUTPUT_W) continue;
        if (VECTOR == 1u) {
          [[unroll]] for (uint i = 0; i < RUN; ++i) {
            if (at.z + i < OUTPUT_W) STORE_RESULT(index + i * OUTPUT_PIXEL_STRIDE, sums[first_sum + i], scale, shift);
          }
        } else {  // the run is one
          float values[VECTOR];
          [[unroll]] for (uint i = 0; i < VECTOR; ++i) {
            values[i] = apply_post_ops(sums[first_sum + i % RUN], scale, shift, RESIDUAL(index + i));
          }
          STORE_VECTOR(index, values);
        }
      }
    }
  }
}

// A staged row is one of a channel, or, channels-last, of all channels of the block. Outputs that are neighbours in memory
// lie STAGED_PITCH apart, those of neighbouring invocations side by side: writes fall into all banks, and so do reads.
const uint STAGED_CHANNELS = OUTPUT_CHANNELS_LAST ? CHANNELS : 1u;  // of a row
const uint OUTPUT_ROWS = OUTPUT_CHANNELS_LAST ? CHANNEL_ROWS : CHANNELS * CHANNEL_ROWS;
const uint STAGED_ROW = STAGED_RUN * STAGED_PITCH;
const uint ITEMS = (STAGED_RUN + VECTOR - 1u) / VECTOR;  // of a row, stored by one invocation

void stage_row(uint row, uint slot) {
  [[unroll]] for (uint i = 0; i < STAGED_RUN; ++i) {
    const uint channel_row = i % STAGED_CHANNELS * CHANNEL_ROWS + row;
    const uint at = slot * STAGED_ROW + i * STAGED_PITCH + gl_LocalInvocationID.x;
    pool[at / 4u][at % 4u] = sums[channel_row * RUN + i / STAGED_CHANNELS];
  }
}

// VECTOR outputs of a staged row. channels: of each, counted from the block's first.
void store_staged(OutputBlock target, uint index, uint staged[VECTOR], uint channels[VECTOR], uint slot) {
  float values[VECTOR];
  [[unroll]] for (uint i = 0; i < VECTOR; ++i) {
    const uint at = slot * STAGED_ROW + staged[i];
    values[i] = pool[at / 4u][at % 4u];
  }
  if (VECTOR == 1u) {
    const uint channel = target.bias_index + channels[0];
    STORE_RESULT(index, values[0], CHANNEL_SCALE(channel), CHANNEL_SHIFT(channel));
    return;
  }
  if (CHAIN_LENGTH > 0u) {
    float residuals[VECTOR];  // all of them are on their way before the first is needed
    [[unroll]] for (uint i = 0; i < VECTOR; ++i) residuals[i] = RESIDUAL(index + i);
    // Not unrolled: a chain is long. But every index is a constant, for the arrays turn.
    [[dont_unroll]] for (uint turn = 0; turn < VECTOR; ++turn) {
      const uint channel = target.bias_index + channels[0];
      const float result = apply_post_ops(values[0], CHANNEL_SCALE(channel), CHANNEL_SHIFT(channel), residuals[0]);
      [[unroll]] for (uint i = 0; i + 1u < VECTOR; ++i) {
        values[i] = values[i + 1u];
        residuals[i] = residuals[i + 1u];
        channels[i] = channels[i + 1u];
      }
      values[VECTOR - 1u] = result;
    }
  }
  STORE_VECTOR(index, values);
}

// The rows of outputs first_row .. first_row + STAGED_ROWS - 1, which are staged.
void store_rows(OutputBlock target, uint first_row) {
  [[dont_unroll]] for (uint item = 0; item < ITEMS; ++item) {
    const uint element = (item * LOCAL + gl_LocalInvocationID.x) * VECTOR;  // of the row
    uint staged[VECTOR], channels[VECTOR];
    [[unroll]] for (uint i = 0; i < VECTOR; ++i) {
      staged[i] = (element + i) % STAGED_RUN * STAGED_PITCH + (element + i) / STAGED_RUN;
      channels[i] = (element + i) % STAGED_CHANNELS;
    }
    const uint number = target.first_patch + element / STAGED_RUN;
    const Patch from = decode_patch(number);
    const uvec3 first = patch_output(target, from) + uvec3(0u, 0u, element % STAGED_RUN / STAGED_CHANNELS);
    if (element >= LOCAL * STAGED_RUN || number >= target.end_patch || first.z >= OUTPUT_W) continue;
    [[dont_unroll]] for (uint slot = 0; slot < STAGED_ROWS; ++slot) {
      const uint channel = OUTPUT_CHANNELS_LAST ? channels[0] : (first_row + slot) / CHANNEL_ROWS;
      const uvec3 at = first + uvec3(row_of_channel((first_row + slot) % CHANNEL_ROWS), 0u);
      if (first_row + slot >= OUTPUT_ROWS || target.first_channel + channel >= OUT_CHANNELS) break;
      if (at.x >= OUTPUT_D || at.y >= OUTPUT_H) continue;
      uint of_row[VECTOR];
      [[unroll]] for (uint i = 0; i < VECTOR; ++i) of_row[i] = OUTPUT_CHANNELS_LAST ? channels[i] : channel;
      store_staged(target, output_index(target, from.image, at) + channel * OUTPUT_CHANNEL_STRIDE, staged, of_row, slot);
    }
  }
}

void store_in_order(OutputBlock target) {
  [[dont_unroll]] for (uint first_row = 0; first_row < OUTPUT_ROWS; first_row += STAGED_ROWS) {
    barrier();  // what was in the pool has been read
    [[unroll]] for (uint row = 0; row < OUTPUT_ROWS; ++row) {
      // Every index of sums is a constant: else they would live in memory.
      if (row / max(STAGED_ROWS, 1u) * STAGED_ROWS == first_row) stage_row(row, row % max(STAGED_ROWS, 1u));
    }
    barrier();
    store_rows(target, first_row);
  }
}

#endif
