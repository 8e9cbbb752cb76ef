using System.Reflection;
using ActorTrainer.Client;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using ActorTrainer.Testing.Trainers;
using Shouldly;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Testing.Conformance;

/// <summary>
/// What a cluster does on every database, asked from outside of real nodes by the HTTP API: one public method per scenario. It knows no
/// test framework, since engines are tested with different ones; their tests call a scenario each, and <see cref="ShouldCover"/> finds
/// those forgotten. One at a time.
/// </summary>
/// <param name="server">Holds the journals, each cluster's in a database of its own; null: they are SQLite files.</param>
/// <remarks>
/// Starting nodes takes most of the time. Most scenarios share a cluster of three nodes that each leaves as it found it; one that fails
/// takes the cluster with it. Tasks train until they are told to end, so that no scenario is a race against a task's length.
/// </remarks>
public sealed partial class ClusterConformance(PostgreSqlInstance? server = null) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    private LocalCluster? _shared;

    /// <summary>The names of the scenarios.</summary>
    public static IReadOnlyList<string> Scenarios { get; } =
    [
        .. typeof(ClusterConformance)
            .GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(m => m.ReturnType == typeof(Task))
            .Select(m => m.Name)
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The cluster that scenarios share, or null before the first and after one that failed.</summary>
    public LocalCluster? Shared => _shared;

    /// <summary>Checks that a class of tests has one test for every scenario, of the same name.</summary>
    /// <param name="tests">The class; tests are its methods with an attribute that is called Fact.</param>
    public static void ShouldCover(Type tests)
    {
        ArgumentNullException.ThrowIfNull(tests);
        string[] facts =
        [
            .. tests
                .GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
                .Where(m => m.CustomAttributes.Any(a => a.AttributeType.Name == "FactAttribute"))
                .Select(m => m.Name),
        ];
        Scenarios.Except(facts).ShouldBeEmpty($"{tests.Name} calls every scenario");
    }

    /// <summary>Ends the shared cluster.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_shared is { } cluster)
        {
            _shared = null;
            await cluster.DisposeAsync();
        }
    }

    /// <summary>The only place where clusters are made.</summary>
    private LocalCluster NewCluster(int nodes, int slots, params string[] settings) => new(nodes, slots, settings) { Server = server };

    /// <summary>Runs a scenario on three nodes that are up, with four slots each and no unfinished task.</summary>
    private async Task OnSharedAsync(Func<LocalCluster, Task> scenario)
    {
        LocalCluster cluster = _shared ??= NewCluster(nodes: 3, slots: 4);
        try
        {
            await StartStoppedAsync(cluster);
            await scenario(cluster);
        }
        catch (Exception e)
        {
            // What it leaves behind must not fail the next one.
            _shared = null;
            string logs = e is TimeoutException ? "" : cluster.Logs();
            await cluster.DisposeAsync();
            throw new InvalidOperationException($"{e.Message}\n{logs}", e);
        }
    }

    private static async Task StartStoppedAsync(LocalCluster cluster)
    {
        foreach (LocalNode node in cluster.Nodes.Where(n => !n.IsRunning))
        {
            node.Start();
        }

        await cluster.WaitForNodesAsync();
        cluster.Nodes.ShouldAllBe(n => n.IsRunning, "the scenario before it waited for the end of every node that it told to end");
    }

    private static string EndFile(LocalCluster cluster, string task) => Path.Combine(cluster.Folder, task + ".end");

    /// <summary>A task that trains until <see cref="CompleteAsync"/>, with a checkpoint about every half second.</summary>
    private static TaskSpec Endless(LocalCluster cluster, string name) =>
        Specs.Scripted(name, new() { UntilFile = EndFile(cluster, name) });

    private static Task<ObservedTask> SubmitAsync(LocalCluster cluster, string name) =>
        ObservedTask.SubmitAsync(cluster, Endless(cluster, name));

    private static async Task<ObservedTask> SubmitAndSaveAsync(LocalCluster cluster, string name)
    {
        ObservedTask task = await SubmitAsync(cluster, name);
        await task.WaitForCheckpointAsync();
        return task;
    }

    /// <summary>Lets a task end, and checks that every step was done once and that its history is in order.</summary>
    private static async Task CompleteAsync(LocalCluster cluster, ObservedTask task)
    {
        await File.WriteAllTextAsync(EndFile(cluster, task.Name), "");
        TaskView view = await task.WaitForEndAsync(TaskStatus.Completed);
        IReadOnlyDictionary<string, string> results = task.Events.OfType<TaskCompleted>().Single().Results;
        long steps = long.Parse(results["steps"], System.Globalization.CultureInfo.InvariantCulture);
        steps.ShouldBeGreaterThanOrEqualTo(task.CommittedStep, task.ToString());
        results["sum"].ShouldBe(ScriptedTrainer.SumOf(steps));
        view.Results.ShouldNotBeNull()["sum"].ShouldBe(results["sum"]);
        task.Events.OfType<TaskRetryScheduled>().ShouldBeEmpty($"nothing of this is a failure of the task\n{task}");
        await ShouldBeInOrderAsync(task);
    }

    private static async Task ShouldBeInOrderAsync(ObservedTask task)
    {
        task.Rows.Select(r => r.Sequence)
            .ShouldBe(Enumerable.Range(1, task.Rows.Count).Select(n => (long)n), $"no event is missing\n{task}");
        task.Rows.Select(r => r.Term).ShouldBeInOrder(SortDirection.Ascending, $"no older owner wrote after a newer one\n{task}");
        long[] terms = [.. task.Events.OfType<TaskActivated>().Select(e => e.Term)];
        terms.ShouldBe(terms.Distinct(), $"every owner has a term of its own\n{task}");
        await task.ShouldHaveLostNothingAsync();
    }

    private static LocalNode OwnerOf(LocalCluster cluster, ObservedTask task) =>
        cluster.Nodes.Single(n => n.Address == task.Starts[^1].Node);

    private static ActorTrainerClient ClientOf(LocalNode node) => LocalCluster.ClientOf(node.Address);

    private static ActorTrainerClient Others(LocalCluster cluster, LocalNode node) =>
        LocalCluster.ClientOf([.. cluster.Nodes.Where(n => n != node).Select(n => n.Address)]);

    private static bool IsThere(MemberView member) =>
        member.State is MemberState.Joining or MemberState.Up or MemberState.Suspect or MemberState.Leaving;

    /// <summary>The refusal of a command, with its HTTP status checked.</summary>
    private static async Task<string> RefusalAsync(int status, Func<Task> command)
    {
        ActorTrainerApiException refused = await Should.ThrowAsync<ActorTrainerApiException>(command);
        refused.Status.ShouldBe(status, refused.Message);
        return refused.Problem;
    }
}
