using System.Globalization;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Bench.Torn;

/// <summary>
/// Real scripts on real nodes, in real time: the script's own process, its child or its node is killed at moments that chance chooses, and
/// what every following run of it finds in its folder is compared with what it meant.
/// </summary>
internal sealed class TornNodes : IAsyncDisposable
{
    private const int Nodes = 3;
    private const int Slots = 6;

    /// <summary>So many at once that two nodes have a slot for each.</summary>
    private const int AtOnce = 12;

    private const int ShortestLifeMs = 500;
    private const int LongestLifeMs = 14_000;
    private const int LongestAwayMs = 2000;
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromMinutes(1);

    private readonly LocalCluster _cluster = new(Nodes, Slots);
    private readonly SemaphoreSlim _nodes = new(1);
    private readonly Random _seeds;

    private TornNodes(int seed) => _seeds = new Random(seed);

    /// <summary>Kills a script of each pattern so many times at least.</summary>
    /// <param name="patterns">The ways of saving.</param>
    /// <param name="kills">How often at least each is killed.</param>
    /// <param name="seed">Of chance.</param>
    /// <param name="measured">Told of each that is through.</param>
    public static async Task MeasureAsync(
        IReadOnlyList<SavePattern> patterns,
        int kills,
        int seed,
        Action<SavePattern, TornFigures> measured
    )
    {
        await using TornNodes nodes = new(seed);
        await nodes._cluster.StartAsync();
        (SavePattern Pattern, Random Chance)[] all = [.. patterns.Select(pattern => (pattern, new Random(nodes._seeds.Next())))];
        await Parallel.ForEachAsync(
            all,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
            async (one, _) => measured(one.Pattern, await nodes.MeasureAsync(one.Pattern, one.Chance, kills))
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _nodes.Dispose();
    }

    private async Task<TornFigures> MeasureAsync(SavePattern pattern, Random chance, int kills)
    {
        string path = Path.Combine(_cluster.Folder, pattern.Name + ".saves");
        TornLog log = new(path);
        TaskSpec spec = new()
        {
            Name = pattern.Name,
            Command = TornScript.Command(pattern.Name, path),
            Environment = new Dictionary<string, string> { ["WORLD_SIZE"] = pattern.Ranks.ToString(CultureInfo.InvariantCulture) },

            // Being killed is a failure of the task's own.
            Retry = new RetrySpec
            {
                MaxAttempts = 1000,
                Backoff = TimeSpan.FromSeconds(0.2),
                MaxBackoff = TimeSpan.FromSeconds(1),
            },
        };
        await AskAsync($"{spec.Name} is submitted", () => _cluster.Client.SubmitAsync(spec));
        ObservedTask task = new(_cluster, spec.Name);
        while (LivesIn(log.Read()) <= kills)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(chance.Next(ShortestLifeMs, LongestLifeMs)), TimeProvider.System);
            await ResumeIfHeldAsync(spec.Name);
            await KillAsync(task, log.Read(), chance);
        }

        await ResumeIfHeldAsync(spec.Name);
        bool starved = false;
        try
        {
            await task.WaitForCheckpointAsync();
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException)
        {
            starved = true;
            Console.WriteLine($"  {pattern.Name}: {e.Message}");
        }

        await AskAsync($"{spec.Name} is cancelled", () => _cluster.Client.CancelAsync(spec.Name));
        await AskAsync($"the events of {spec.Name} are read", () => task.LookAsync());
        return Judge(pattern, log.Read(), task, starved);
    }

    /// <summary>
    /// A task is held when three nodes in a row were lost before it had saved; chance does that, and its user lets it go on.
    /// </summary>
    private Task ResumeIfHeldAsync(string name) =>
        AskAsync(
            $"{name} is not held",
            async () =>
            {
                if ((await _cluster.Client.GetTaskAsync(name)).Task.Status == TaskStatus.Held)
                {
                    await _cluster.Client.ResumeAsync(name);
                }
            }
        );

    /// <summary>Asks the cluster, again and again while a node is away.</summary>
    private Task AskAsync(string what, Func<Task> ask) =>
        _cluster.WaitAsync(
            what,
            async () =>
            {
                await ask();
                return true;
            },
            AnswerLimit
        );

    private async Task KillAsync(ObservedTask task, IReadOnlyList<TornEntry> said, Random chance)
    {
        // A kill of a node ends the runs of others as well.
        if (chance.Next(3) == 0 && _nodes.Wait(0))
        {
            try
            {
                await AskAsync($"the events of {task.Name} are read", () => task.LookAsync());
                LocalNode? node = _cluster.Nodes.FirstOrDefault(node => task.Starts is [.., { Node: var at }] && node.Address == at);
                if (node is not null)
                {
                    await node.KillAsync();
                    await Task.Delay(TimeSpan.FromMilliseconds(chance.Next(LongestAwayMs)), TimeProvider.System);
                    node.Start();
                    await _cluster.WaitForNodesAsync();
                }
            }
            finally
            {
                _ = _nodes.Release();
            }
        }
        else if (said.LastOrDefault(entry => entry.Begins) is { } life)
        {
            _ = Signals.TrySend(chance.Next(2) == 0 ? life.Leader : life.Pid, Signals.Kill);
        }
    }

    private static TornFigures Judge(SavePattern pattern, IReadOnlyList<TornEntry> said, ObservedTask task, bool starved)
    {
        TornFigures figures = new();
        List<SaveJudge> judges = [];
        foreach (TornEntry entry in said)
        {
            if (!entry.Begins)
            {
                judges[^1].Written([.. entry.Paths.Select(path => new SaveStep(path))], entry.Part, entry.Files);
            }
            else if (entry.Files.Count > 0 && judges.Count > 0)
            {
                judges[^1].Restored(entry.Files);
            }
            else
            {
                judges.Add(new SaveJudge(Restored.Nothing));
            }
        }

        judges.ForEach(judge => figures.Add(judge, 0, late: false, starved: false, pattern.Name));
        figures.AddKills(LivesIn(said) - 1, starved ? $"{pattern.Name}: no state was captured after the last kill" : null);
        figures.AddLost(CommittedHistory.Judge(task.Rows, task.Rows));
        return figures;
    }

    private static int LivesIn(IReadOnlyList<TornEntry> said) => said.Count(entry => entry.Begins);
}
