#include "cases.h"

#include <support/problem_text.h>

namespace vktconv::tests {

namespace {

struct Row {
  const char* name;
  const char* problem;  // see tools/support/problem_text.h
};

const Row rows[] = {
    // The smallest things.
    {"one_product", "ic1iw1oc1kw1"},
    {"one_product_3d", "ic1id1ih1iw1oc1kd1kh1kw1bias"},
    {"identity_channels", "mb2ic7ih5iw9oc6kh1kw1"},
    {"input_1", "mb3ic5ih1iw1oc7kh4kw3sh2sw3bias"},
    {"input_1_in_one_axis", "ic3id1ih6iw1oc4kd3kh1kw5sd2sh1sw2"},
    {"kernel_1_stride_3", "mb2ic4ih5iw4oc3kh1kw1sh3sw3opw2oph1bias"},
    {"one_output", "mb2ic9iw3oc5kw3sw1pw2"},
    {"one_in_channel", "mb2ic1ih7iw8oc13kh3kw3sh2sw2ph1pw1"},
    {"one_out_channel", "mb2ic17ih7iw8oc1kh3kw3sh2sw2ph1pw1bias"},

    // Geometry at its edges.
    {"stride_over_kernel_1d", "mb2ic5iw11oc6kw2sw5bias"},
    {"stride_over_kernel_3d", "ic3id3ih4iw2oc5kd2kh1kw3sd3sh4sw5opd2bias"},
    {"stride_over_output", "ic4ih1iw1oc3kh2kw3sh7sw5"},
    {"shared_factor_2_2", "mb2ic5iw13oc6kw3sw2pw1dw2"},
    {"shared_factor_4_6", "ic4iw9oc5kw5sw4dw6pw3"},
    {"shared_factor_6_4", "ic4iw9oc5kw7sw6dw4pw5opw3bias"},
    {"shared_factor_6_9_4_6", "ic3ih5iw6oc4kh4kw3sh6sw4dh9dw6ph2pw7"},
    {"equal_stride_and_dilation_3d", "ic3id3ih4iw3oc4kd2kh3kw2sd2sh3sw2dd2dh3dw2bias"},
    {"empty_phases_without_bias", "ic3ih4iw5oc6kh2kw3sh4sw4dh2dw2"},
    {"empty_phases_with_bias", "ic3ih4iw5oc6kh2kw3sh4sw4dh2dw2bias"},
    {"all_but_one_phase_empty", "ic6iw10oc3kw3sw8dw8bias"},
    {"output_padding_at_stride", "mb2ic3iw7oc4kw3sw2dw5opw2"},
    {"output_padding_over_stride", "mb2ic3ih4iw5oc4kh2kw3sh2sw1dh4dw3oph3opw2bias"},
    {"output_padding_far_past_the_last_input", "ic2iw3oc3kw1sw16opw15bias"},
    {"negative_padding", "mb2ic4ih5iw6oc3kh3kw3sh2sw2ph-2pw-1eh-3ew-5bias"},
    {"negative_padding_at_the_beginning", "ic3iw8oc5kw4sw3pw-7ew2"},
    {"negative_padding_at_the_end", "ic3iw8oc5kw4sw3pw2ew-11bias"},
    {"asymmetric_padding", "mb2ic4ih6iw7oc5kh4kw5sh2sw3ph0pw3eh3ew1"},
    {"padding_over_kernel", "ic5ih12iw11oc4kh3kw2ph5pw4eh6ew3"},
    {"padding_leaves_the_middle", "ic4iw20oc3kw3sw2pw17ew18"},
    {"dilation_over_input", "ic3ih2iw3oc4kh3kw2dh11dw13"},
    {"dilation_and_stride_coprime", "ic4ih5iw7oc3kh3kw4sh3sw4dh2dw3ph2pw4"},
    {"kernel_over_input", "ic3ih2iw3oc4kh7kw9sh2sw2"},
    {"long_kernel", "ic2iw5oc3kw61sw7pw20dw2"},
    {"large_stride", "ic2iw3oc2kw5sw101pw7"},
    {"long_row", "ic2iw4099oc3kw3sw2pw1bias"},
    {"narrow_rows", "ic3id2ih65iw1oc2kd1kh3kw1"},

    // Channels and groups.
    {"prime_everything", "mb3ic7ih5iw11oc13kh3kw5sh2sw3ph1pw2"},
    {"prime_channels_17_19", "ic17iw23oc19kw3sw2"},
    {"channels_31_33", "ic31iw9oc33kw4sw2pw1bias"},
    {"channels_65_3", "ic65ih3iw5oc3kh3kw3"},
    {"channels_3_65", "ic3ih3iw5oc65kh3kw3"},
    {"channels_128_127", "ic128iw4oc127kw2sw2"},
    {"groups_2", "g2mb2ic6ih5iw4oc10kh3kw3sh2sw2bias"},
    {"groups_3_with_prime_channels", "g3ic21ih4iw5oc33kh2kw3"},
    {"groups_of_one_in_channel", "g4ic4ih5iw6oc12kh3kw3sh2sw2bias"},
    {"groups_of_one_out_channel", "g4ic12ih5iw6oc4kh3kw3sh2sw2bias"},
    {"depthwise", "g9mb2ic9ih6iw7oc9kh3kw3sh2sw2ph1pw1bias"},
    {"depthwise_3d", "g5ic5id3ih4iw5oc5kd3kh2kw3sd2sh1sw2"},
    {"depthwise_1d_67", "g67ic67iw10oc67kw4sw2pw1"},
    {"depthwise_multiplier_3", "g5mb2ic5ih5iw6oc15kh3kw3sh2sw2ph1pw1"},
    {"batch_17", "mb17ic3iw5oc2kw3sw2"},

    // Small versions of bench/suites: kernel, stride, padding, dilation and groups as there, fewer channels and
    // positions.
    {"small_kb1.57", "mb2ic8ih13iw14oc8kh3kw3"},
    {"small_kb1.58", "mb1ic4id3ih4iw8oc3kd3kh5kw7"},
    {"small_kb1.61", "ic6id5ih4iw6oc6kd3kh3kw3"},
    {"small_kb1.64", "mb2ic16iw130oc16kw3"},
    {"small_kb1.65", "mb2ic8ih7iw9oc8kh3kw7"},
    {"small_kb1.68", "ic4id4ih5iw6oc8kd3kh5kw5"},
    {"small_kb1.69", "mb2ic8ih7iw11oc16kh3kw5"},
    {"small_kb1.70", "ic6id5ih4iw7oc3kd3kh3kw3"},
    {"small_kb1.71", "mb2ic5ih8iw17oc5kh3kw3"},
    {"small_kb1.72", "g4ic8id3ih4iw5oc8kd3kh5kw7sd2sh2sw2pd1ph2pw3opd1oph1opw1"},
    {"small_kb1.73", "ic5id3ih5iw7oc5kd3kh3kw3sd2sh2sw2pd1ph1pw1"},
    {"small_kb1.74", "mb2ic8iw150oc16kw5dw3"},
    {"small_kb1.75", "g4mb2ic8ih6iw7oc16kh3kw5sh2sw3ph1pw2dh2dw1"},
    {"small_kb1.77", "mb2ic4id3ih4iw5oc8kd3kh3kw3sd2sh2sw2pd1ph1pw1dd2dh2dw2"},
    {"small_kb1.78", "mb2ic4ih7iw15oc4kh3kw7ph1pw3"},
    {"small_kb1.79", "mb2ic8iw257oc16kw3sw2pw1dw2"},
    {"small_kb1.81", "mb2ic4ih6iw7oc8kh3kw3sh5sw5ph1pw1dh2dw2"},
    {"small_hifigan.up1", "mb2ic16iw17oc8kw16sw8pw4bias"},
    {"small_hifigan.up3", "mb2ic8iw65oc4kw4sw2pw1bias"},
    {"small_encodec.up2", "ic16iw40oc8kw10sw5bias"},
    {"small_encodec.up4", "ic8iw190oc4kw4sw2bias"},
    {"small_demucs.up1", "ic32iw12oc16kw8sw4bias"},
    {"small_dcgan.up2", "mb3ic8ih4iw4oc4kh4kw4sh2sw2ph1pw1"},
    {"small_dcgan.up4", "mb2ic8ih8iw8oc3kh4kw4sh2sw2ph1pw1"},
    {"small_pix2pix.up1", "ic16ih4iw4oc8kh4kw4sh2sw2ph1pw1bias"},
    {"small_fsrcnn.x4", "ic7ih6iw9oc1kh9kw9sh4sw4ph4pw4oph3opw3bias"},
    {"small_fcn8s.up8", "g3mb2ic3ih4iw5oc3kh16kw16sh8sw8ph4pw4"},
    {"small_unet2d.up4", "mb2ic8ih7iw9oc4kh2kw2sh2sw2bias"},
    {"small_nnunet3d.up3", "mb2ic8id3ih3iw4oc4kd2kh2kw2sd2sh2sw2bias"},
    {"small_nnunet3d.up5", "ic4id5ih6iw7oc2kd2kh2kw2sd2sh2sw2bias"},
    {"small_gan3d.up2", "ic6id3ih3iw3oc4kd4kh4kw4sd2sh2sw2pd1ph1pw1"},
};

}  // namespace

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> list;
    for (const Row& row : rows) list.push_back({row.name, support::parse_problem(row.problem).desc});
    return list;
  }();
  return all;
}

}  // namespace vktconv::tests
