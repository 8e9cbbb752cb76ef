using System.Globalization;
using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Tests.Workers.Saves;

/// <summary>A script that completes the paths of its saves one after the other, and knows which states it meant.</summary>
internal sealed class SaveScript(string pattern, int seed, SaveBreak disturbance)
{
    private const int Saves = 14;
    private const int OneIn = 4;
    private const int FirstWithMore = 5;

    private readonly Random _chance = new(seed);
    private readonly List<Completion> _completions = [];
    private readonly List<Dictionary<string, int>> _after =
    [
        [],
    ];
    private readonly List<Dictionary<string, int>> _meant = [];
    private readonly Dictionary<string, int> _files = new(StringComparer.Ordinal);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private SaveBreak _next;
    private long _now;
    private int _whole;

    public static IReadOnlyDictionary<string, Func<int, Random, string[]>> Patterns { get; } =
        new Dictionary<string, Func<int, Random, string[]>>
        {
            ["one"] = (_, _) => ["m"],
            ["three"] = (_, _) => ["m", "o", "s"],
            ["config first"] = (save, _) => save == 1 ? ["config", "m"] : ["m"],
            ["ranks"] = (_, chance) => Mixed(chance, "rank0", "rank1", "rank2", "rank3"),
            ["ranks, latest"] = (_, chance) => [.. Mixed(chance, "rank0", "rank1", "rank2"), "latest"],
            ["steps"] = (save, _) => [Number("model-step", save), Number("opt-step", save)],
            ["steps and ranks, latest"] = (save, chance) =>
                [
                    .. Mixed(chance, Number("step", save) + "/rank_0", Number("step", save) + "/rank_1", Number("step", save) + "/zero_0"),
                    "latest",
                ],
            ["shards, index"] = (_, _) => ["model-1-of-2", "model-2-of-2", "index"],
            ["parts of unknown name"] = (_, _) => ["foo_0", "bar_0", "foo_1", "bar_1"],
            ["best behind"] = (save, chance) => Sometimes(save, chance) ? ["m", "o", "best"] : ["m", "o"],
            ["best before"] = (save, chance) => Sometimes(save, chance) ? ["best", "m", "o"] : ["m", "o"],
            ["best between"] = (save, chance) => Sometimes(save, chance) ? ["m", "best", "o"] : ["m", "o"],
            ["best pair"] = (save, chance) => Sometimes(save, chance) ? ["m", "o", "bm", "bo"] : ["m", "o"],
            ["best pair before"] = (save, chance) => Sometimes(save, chance) ? ["bm", "bo", "m", "o"] : ["m", "o"],
            ["third from the fifth"] = (save, _) => save >= FirstWithMore ? ["m", "o", "ema"] : ["m", "o"],
            ["two more from the fifth"] = (save, _) => save >= FirstWithMore ? ["m", "o", "ema", "emo"] : ["m", "o"],
            ["every third"] = (save, _) => save % 3 == 0 ? ["m", "o", "ema"] : ["m", "o"],
            ["two writers, latest"] = (_, chance) => [.. Mixed(chance, "x", "y"), "latest"],
            ["two writers"] = (_, chance) => Mixed(chance, "x", "y"),
            ["metric in the name"] = (save, chance) =>
                [$"epoch={save}-loss={chance.NextDouble().ToString("F3", CultureInfo.InvariantCulture)}.ckpt", "last.ckpt"],
            ["time in the name"] = (save, chance) => [$"2026-11-{save + 10}_12-{chance.Next(10, 60)}-05.pt"],
        };

    /// <summary>Of these no order can be relied on.</summary>
    public static IReadOnlySet<string> Unclear { get; } = new HashSet<string> { "two writers" };

    public int Commits { get; private set; }

    /// <summary>The first state that was taken for whole and is not; null: none was.</summary>
    public string? Wrong { get; private set; }

    public void Run()
    {
        int cutSave = disturbance is SaveBreak.Disturbed or SaveBreak.Void ? _chance.Next(2, 10) : 0;
        int longest = _chance.Next(2) == 0 ? 600_000 : 20_000;
        for (int save = 1; save <= Saves; save++)
        {
            _now += _chance.Next(100, longest);
            string[] paths = Patterns[pattern](save, _chance);
            if (disturbance == SaveBreak.Boundary && save == FirstWithMore)
            {
                _next = SaveBreak.Boundary;
            }

            if (save == cutSave)
            {
                Write(paths[.._chance.Next(paths.Length)], 2 * save, isWhole: false);
                _next = disturbance;
            }

            Write(paths, (2 * save) + 1, isWhole: true);
        }
    }

    public override string ToString() =>
        string.Join(
            ' ',
            _completions.Select(completion => (completion.Before == SaveBreak.None ? "" : completion.Before + ":") + completion.Path)
        );

    private void Write(string[] paths, int save, bool isWhole)
    {
        for (int i = 0; i < paths.Length; i++)
        {
            _now += i == 0 ? 0 : _chance.Next(100, 120_000);
            _completions.Add(new Completion(paths[i], _now, _next));
            _next = SaveBreak.None;
            _files[paths[i]] = save;
            _after.Add(new Dictionary<string, int>(_files));
            bool rest = paths[(i + 1)..].All(path => !_known.Contains(path));
            if ((isWhole && i == paths.Length - 1) || (rest && paths[..(i + 1)].All(_known.Contains)))
            {
                // What was never seen before may still come.
                _meant.Add(new Dictionary<string, int>(_files));
            }

            Judge();
        }

        _known.UnionWith(paths);
    }

    private void Judge()
    {
        int whole = SaveOrder.Of(_completions, []).Whole;
        if (whole <= _whole)
        {
            return;
        }

        _whole = whole;
        Commits++;
        Dictionary<string, int> taken = _after[whole];
        if (!_meant.Any(meant => meant.Count == taken.Count && meant.All(file => taken.GetValueOrDefault(file.Key) == file.Value)))
        {
            Wrong ??= $"after {whole}: {string.Join(' ', taken)}";
        }
    }

    private static bool Sometimes(int save, Random chance) => save == 1 || chance.Next(OneIn) == 0;

    private static string Number(string word, int save) => word + (save * 100).ToString(CultureInfo.InvariantCulture);

    private static string[] Mixed(Random chance, params string[] paths)
    {
        chance.Shuffle(paths);
        return paths;
    }
}
