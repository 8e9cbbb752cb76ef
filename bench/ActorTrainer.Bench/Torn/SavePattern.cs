using System.Globalization;

namespace ActorTrainer.Bench.Torn;

/// <summary>A way in which scripts save.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Save">The steps of the save with a number, from 1; chance may decide.</param>
internal sealed record SavePattern(string Name, Func<int, Random, IReadOnlyList<SaveStep>> Save)
{
    private const int OneIn = 4;
    private const int FirstWithMore = 5;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SavePattern> All { get; } =
    [
        new("one-file", (_, _) => [new("m.bin")]),
        new("one-file-renamed", (_, _) => [new("state.json", Way.Renamed)]),
        new("one-file-removed-first", (_, _) => [new("m.bin", Way.RemovedFirst)]),
        new("one-file-rotated", (_, _) => [new("m.bin", Way.Rotated)]),
        new("two-files", (_, _) => [new("m.bin"), new("o.bin")]),
        new("two-files-renamed", (_, _) => [new("m.bin", Way.Renamed), new("o.bin", Way.Renamed)]),
        new("three-files", (_, _) => [new("m.bin"), new("o.bin", Way.Renamed), new("rng.bin")]),
        new("large-stays", (save, _) => save == 1 ? [new("large.bin"), new("small.json", Way.Renamed)] : [new("small.json", Way.Renamed)]),
        new("numbered", (save, _) => [new($"model-step{Hundreds(save)}.bin"), new($"opt-step{Hundreds(save)}.bin")]),
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
    ];

    private static bool Sometimes(int save, Random chance) => save == 1 || chance.Next(OneIn) == 0;

    private static string Hundreds(int save) => (save * 100).ToString(CultureInfo.InvariantCulture);

    private static SaveStep[] Mixed(Random chance, params string[] paths)
    {
        chance.Shuffle(paths);
        return [.. paths.Select(path => new SaveStep(path))];
    }
}
