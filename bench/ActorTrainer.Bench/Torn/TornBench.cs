using System.Globalization;
using ActorTrainer.Bench.Common;

namespace ActorTrainer.Bench.Torn;

/// <summary>
/// Scripts that save in many ways are killed at moments that chance chooses, beside the product's own capture of their folders, in virtual
/// time: up to two minutes lie between the files of a save. What was captured last is the beginning of the script's next life. Then the
/// same scripts on real nodes, in real time (<see cref="TornNodes"/>).
/// </summary>
internal static class TornBench
{
    private const int Apart = 1_000_003;
    private const int Lives = 2;
    private const int SavesOfALife = 12;

    /// <summary>When so many saves were whole since the newest capture, the script starves.</summary>
    private const int StarvesAfter = 8;

    /// <exception cref="OptionException">An argument is not right.</exception>
    public static async Task<int> RunAsync(string[] args)
    {
        OptionSet options = OptionSet.Parse(
            args,
            ("--kills", "200"),
            ("--node-kills", "10"),
            ("--seed", "1"),
            ("--pattern", "all"),
            ("--capture", "product")
        );
        int kills = options.Number("--kills", least: 0, most: 100_000);
        int nodeKills = options.Number("--node-kills", least: 0, most: 10_000);
        int seed = options.Number("--seed", least: 0, most: int.MaxValue);
        bool naive = options.Several("--capture", "product", "naive")[0] == "naive";
        string[] names = ["all", .. SavePattern.All.Select(pattern => pattern.Name)];
        IReadOnlyList<string> wanted = options.Several("--pattern", names);
        SavePattern[] patterns = [.. SavePattern.All.Where(pattern => wanted.Contains("all") || wanted.Contains(pattern.Name))];
        if (kills > 0)
        {
            Report capture = new("capture");
            foreach (SavePattern pattern in patterns)
            {
                capture.Add(pattern, Measure(pattern, kills, seed, naive));
            }

            capture.End();
        }

        if (nodeKills > 0)
        {
            Report nodes = new("nodes");
            await TornNodes.MeasureAsync(patterns, nodeKills, seed, nodes.Add);
            nodes.End();
        }

        return 0;
    }

    /// <summary>Kills a script that saves in one way, again and again.</summary>
    public static TornFigures Measure(SavePattern pattern, int kills, int seed, bool naive)
    {
        TornFigures sum = new();
        Parallel.For(
            0,
            (kills + Lives - 1) / Lives,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            () => new TornFigures(),
            (i, _, figures) =>
            {
                string directory = Directory.CreateTempSubdirectory("actortrainer-torn-").FullName;
                try
                {
                    LiveTwice(directory, pattern, (seed * Apart) + i, naive, figures);
                }
                finally
                {
                    Directory.Delete(directory, recursive: true);
                }

                return figures;
            },
            figures =>
            {
                lock (sum)
                {
                    sum.Add(figures);
                }
            }
        );
        return sum;
    }

    private static void LiveTwice(string directory, SavePattern pattern, int seed, bool naive, TornFigures figures)
    {
        Random chance = new(seed);
        Death[] deaths = Enum.GetValues<Death>();
        Restored restored = Restored.Nothing;
        for (int life = 0; life < Lives; life++)
        {
            using TornRun run = new(Path.Combine(directory, life.ToString(CultureInfo.InvariantCulture)), pattern, chance, restored, naive);
            run.Run(restored.LastSave + 1, SavesOfALife, deaths[chance.Next(deaths.Length)]);
            SaveJudge judge = run.Judge;
            bool late = pattern.FirstIsTaken && judge.FirstIsLate;
            bool starved = judge.Saves - judge.SavesAtCommit >= StarvesAfter;
            figures.Add(judge, 1, late, starved, $"{pattern.Name} seed {seed} life {life + 1}");
            restored = run.Judge.Newest;
        }
    }

    /// <summary>Prints figures, from any thread.</summary>
    private sealed class Report(string by)
    {
        private readonly TornFigures _all = new();

        public void Add(SavePattern pattern, TornFigures figures)
        {
            lock (_all)
            {
                Console.WriteLine(figures.Line(by, pattern.Name));
                if (figures.Fault is { } fault)
                {
                    Console.WriteLine($"  {fault}");
                }

                _all.Add(figures);
            }
        }

        public void End() => Console.WriteLine(_all.Line(by, "all"));
    }
}
