using System.Globalization;

namespace ActorTrainer.Bench.Torn;

/// <summary>A way in which scripts save.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Save">The steps of the save with a number, from 1; chance may decide.</param>
/// <param name="Ranks">How many processes save together.</param>
/// <param name="FirstIsTaken">Whether the first save shows by itself that it is whole.</param>
internal sealed record SavePattern(string Name, Func<int, Random, IReadOnlyList<SaveStep>> Save, int Ranks = 1, bool FirstIsTaken = false)
{
    private const int OneIn = 4;
    private const int FirstWithMore = 5;
    private static readonly int[] OfRanks = [0, 1, 2];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SavePattern> All { get; } =
    [
        new("one-file", (_, _) => [new("m.bin")]),
        new("one-file-renamed", (_, _) => [new("state.json", Way.Renamed)]),
        new("one-file-removed-first", (_, _) => [new("m.bin", Way.RemovedFirst)]),
        new("two-files-second-removed-first", (_, _) => [new("m.bin"), new("o.bin", Way.RemovedFirst)]),
        new("two-files-removed-first", (_, _) => [new("m.bin", Way.RemovedFirst), new("o.bin", Way.RemovedFirst)]),
        new("numbered-and-latest", (save, _) => [new($"step-{save}.bin"), new("latest", Way.RemovedFirst)]),
        new("one-file-rotated", (_, _) => [new("m.bin", Way.Rotated)]),
        new("two-files", (_, _) => [new("m.bin"), new("o.bin")]),
        new("two-files-renamed", (_, _) => [new("m.bin", Way.Renamed), new("o.bin", Way.Renamed)]),
        new("three-files", (_, _) => [new("m.bin"), new("o.bin", Way.Renamed), new("rng.bin")]),
        new("large-stays", (save, _) => save == 1 ? [new("large.bin"), new("small.json", Way.Renamed)] : [new("small.json", Way.Renamed)]),
        new("numbered", (save, _) => [new($"model-step{Hundreds(save)}.bin"), new($"opt-step{Hundreds(save)}.bin")]),
        new(
            "numbered-linked",
            (save, _) => [new($"model-step{Hundreds(save)}.bin", Way.Linked), new($"opt-step{Hundreds(save)}.bin", Way.Linked)]
        ),
        new("folder-renamed", (save, _) => [new($"checkpoint-{Hundreds(save)}/model.bin", Way.Folder)]),
        new(
            "folder-in-place",
            (save, _) => [new($"checkpoint-{save}/model.bin"), new($"checkpoint-{save}/opt.bin"), new($"checkpoint-{save}/state.json")]
        ),
        new("ranks", (_, chance) => Mixed(chance, "rank0.bin", "rank1.bin", "rank2.bin")),
        new(
            "ranks-latest",
            (save, chance) => [.. Mixed(chance, $"step{save}/rank_0.bin", $"step{save}/rank_1.bin"), new("latest", Way.Renamed)]
        ),
        new("shards-index", (_, _) => [new("model-00001-of-00002.bin"), new("model-00002-of-00002.bin"), new("model.index.json")]),
        new("best-behind", (save, chance) => Sometimes(save, chance) ? [new("last.bin"), new("best.bin")] : [new("last.bin")]),
        new(
            "best-before",
            (save, chance) => Sometimes(save, chance) ? [new("best.bin"), new("m.bin"), new("o.bin")] : [new("m.bin"), new("o.bin")]
        ),
        new(
            "best-pair",
            (save, chance) =>
                [new("m.bin"), new("o.bin"), .. Sometimes(save, chance) ? [new("bm.bin"), new("bo.bin")] : Array.Empty<SaveStep>()]
        ),
        new(
            "third-from-the-fifth",
            (save, _) => [new("m.bin"), new("o.bin"), .. save >= FirstWithMore ? [new("ema.bin")] : Array.Empty<SaveStep>()]
        ),
        new(
            "third-renamed-from-the-fifth",
            (save, _) => [new("m.bin", Way.Renamed), .. save >= FirstWithMore ? [new("ema.bin", Way.Renamed)] : Array.Empty<SaveStep>()]
        ),
        new("dcp", (save, chance) => Dcp($"step-{save}/", chance), Ranks: 3, FirstIsTaken: true),
        new("dcp-in-place", (_, chance) => Dcp("", chance), Ranks: 3, FirstIsTaken: true),
        new(
            "hf-trainer",
            (save, chance) =>
                [
                    new($"checkpoint-{save}/training_args.bin"),
                    new($"checkpoint-{save}/model.safetensors.bin"),
                    .. Mixed(
                        chance,
                        [.. OfRanks.Select(rank => $"checkpoint-{save}/rng_state_{rank}.pth"), $"checkpoint-{save}/trainer_state.json"]
                    ),
                ],
            Ranks: 3,
            FirstIsTaken: true
        ),
        new(
            "safetensors-index",
            (save, chance) => [.. Mixed(chance, $"step-{save}/model-1-of-2.bin", $"step-{save}/model-2-of-2.bin"), Index(save)],
            FirstIsTaken: true
        ),
        new(
            "deepspeed",
            (save, chance) =>
                [
                    new($"global_step{save}/mp_rank_00_model_states.pt"),
                    .. MixedSteps(
                        chance,
                        [
                            .. OfRanks.Select(rank => new SaveStep($"global_step{save}/zero_pp_rank_{rank}_mp_rank_00_optim_states.pt")),
                            new("latest", Text: $"global_step{save}"),
                        ]
                    ),
                ],
            Ranks: 3,
            FirstIsTaken: true
        ),
        new(
            "megatron",
            (save, chance) =>
                [
                    .. Mixed(chance, $"iter_{save:D7}/mp_rank_00/model_optim_rng.pt", $"iter_{save:D7}/mp_rank_01/model_optim_rng.pt"),
                    new("latest_checkpointed_iteration.txt", Text: save.ToString(CultureInfo.InvariantCulture)),
                ],
            Ranks: 2,
            FirstIsTaken: true
        ),
    ];

    private static bool Sometimes(int save, Random chance) => save == 1 || chance.Next(OneIn) == 0;

    private static string Hundreds(int save) => (save * 100).ToString(CultureInfo.InvariantCulture);

    private static SaveStep[] Dcp(string folder, Random chance) =>
        [.. Mixed(chance, [.. OfRanks.Select(rank => $"{folder}__{rank}_0.distcp")]), new(folder + ".metadata", Way.Renamed)];

    private static SaveStep Index(int save) =>
        new(
            $"step-{save}/model.safetensors.index.json",
            Text: "{\"weight_map\":{\"a\":\"model-1-of-2.bin\",\"b\":\"model-2-of-2.bin\"},\"save\":"
                + save.ToString(CultureInfo.InvariantCulture)
                + "}"
        );

    private static SaveStep[] Mixed(Random chance, params string[] paths) =>
        MixedSteps(chance, [.. paths.Select(path => new SaveStep(path))]);

    private static SaveStep[] MixedSteps(Random chance, SaveStep[] steps)
    {
        chance.Shuffle(steps);
        return steps;
    }
}
