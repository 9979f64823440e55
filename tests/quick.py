"""The tests of `scripts/test --quick`: of every room those that cost little and notice most mistakes.

test_architecture.py fails where a room has none. Printed one a line, for pytest: `python tests/quick.py`.
"""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parent
QUICK = {
    "runtime": [
        "runtime/test_rows.py",
        "runtime/test_text.py",
        "runtime/test_words.py",
        "runtime/test_image.py",
        "runtime/test_ultralytics.py",
    ],
    "version": ["test_public_names.py"],
    "errors": ["test_languages.py::test_how_the_command_line_is_used_is_said_in_chinese"],
    "own_files": [
        "bundle/test_renewed.py::test_what_is_somebodys_own_stays",
        "bundle/test_renewed.py::test_killed_in_the_middle",
    ],
    "progress": ["quant/test_shown.py::test_a_terminal_shows_it"],
    "assumed": ["test_cli.py::test_what_json_says_of_a_conversion"],
    "spelling": ["test_languages.py::test_options_are_spelled_as_they_are_written"],
    "outside": ["targets/test_targets_protocol.py"],
    "confine": ["sources/test_tensorflow.py::test_distance", "web/test_confine.py"],
    "endings": ["writing/test_endings.py::test_nothing_is_left[convert-SIGTERM]"],
    "whole_file": ["writing/test_places.py"],
    "html": ["html"],
    "devices": ["bundle/test_devices.py"],
    "files": ["checkpoint/test_refuse.py", "onnxfile/test_protobuf.py"],
    "labels": ["labels/test_labels_match.py"],
    "graph": ["graph/test_fold.py", "graph/test_shapes.py"],
    "nets": ["nets/test_pipeline.py"],
    "onnxfile": ["onnxfile/test_read_onnx.py"],
    "scenes": ["scenes/test_both_languages.py", "scenes/test_rules.py", "scenes/test_fill.py"],
    "sources": [
        "checkpoint/test_read.py",
        "nets/test_transforms.py",
        "sources/test_keras1.py",
        "sources/test_keras.py::test_answers_as_keras_does[k2_functional/model.h5]",
        "sources/test_keras.py::test_answers_as_keras_does[k3_nested/model.keras]",
        "sources/test_source_table.py",
        "sources/test_torchscript.py",
    ],
    "engines": ["engines/test_engines_table.py"],
    "model": ["test_digits.py::test_basenn"],
    "options": ["test_convert_bad_input.py::test_options_are_built_where_they_are_said"],
    "adoption": ["foreign/test_adopted.py"],
    "making": ["test_convert_meta.py"],
    "conversion": ["test_convert_meta.py"],
    "batch": ["test_cli.py::test_several_files"],
    "run": ["test_cli.py::test_run_pictures"],
    "bare": ["foreign/test_bare.py"],
    "info": ["test_cli.py::test_info_of_a_checkpoint"],
    "demo": ["test_cli.py::test_demo"],
    "evaluate": ["evaluate/test_evaluate_scores.py", "evaluate/test_doubt.py"],
    "quant": ["quant/test_split.py", "quant/test_judge.py", "quant/test_ranges.py"],
    "boards": ["microcontrollers/test_cut.py"],
    "targets": ["targets/test_targets_protocol.py"],
    "deploy": ["deploy/test_plan.py"],
    "teaching": ["teaching/test_teach_head.py"],
    "answers": ["runtime/test_named.py"],
    "bench": ["bench/test_verdict.py", "bench/test_compare.py"],
    "bundle": ["bundle/test_bundle_rules.py", "bundle/test_carry.py"],
    "report": ["report"],
    "doors": ["doors/test_doors_choice.py", "test_cli.py::test_doors"],
    "present": ["test_plain.py", "evaluate/test_evaluate_shown.py"],
    "web": ["web/test_turns.py", "web/test_unzip.py"],
    "cli_usage": ["test_languages.py::test_in_english_click_speaks_for_itself"],
    "cli_common": ["test_cli.py::test_the_language_of_the_environment"],
    "cli_boards": ["bundle/test_push_parts.py"],
    "cli_measure": ["evaluate/test_evaluate_min.py"],
    "cli_teach": ["teaching/test_teach_model.py::test_the_verb_in_both_languages"],
    "cli_web": ["test_languages.py::test_how_the_command_line_is_used_is_said_in_chinese"],
    "cli": ["test_cli.py::test_one_file_beside_itself", "test_cli.py::test_the_sample_inside"],
    "__main__": ["test_public_names.py"],
}
ALWAYS = ["test_architecture.py"]


def chosen() -> list[str]:
    """As pytest takes them; none twice, since a room may share one with another."""
    names = dict.fromkeys(name for names in (ALWAYS, *QUICK.values()) for name in names)
    return [str(TESTS / name) for name in names]


if __name__ == "__main__":
    print("\n".join(chosen()))
