using System.Globalization;
using ActorTrainer.Client;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Samples.Demo;

/// <summary>What happens: three nodes, seven tasks, one node killed and started again, another drained, all tasks end.</summary>
internal sealed class Scenario(DemoPaths paths, DemoCluster cluster, Scene scene, IScreen screen)
{
    private const int Slots = 4;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CloseLook = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);

    private Observer Observer => scene.Observer;

    /// <summary>From the kill until a surviving node knew.</summary>
    public TimeSpan? DetectedAfter { get; private set; }

    public async Task RunAsync(string? python, CancellationToken cancellationToken)
    {
        Tell(string.Create(CultureInfo.InvariantCulture, $"starting {scene.Nodes.Count} nodes"));
        foreach (NodeProcess node in scene.Nodes)
        {
            node.Start(paths.Executable, scene.Nodes, Slots);
        }

        await WaitAsync("all nodes are up", AllUp, Look, cancellationToken);
        List<Task> followers = await SubmitAsync(python, cancellationToken);
        NodeProcess lost = await KillAsync(cancellationToken);
        lost.Start(paths.Executable, scene.Nodes, Slots);
        Tell($"{lost.Name} is started again");
        await WaitAsync(
            $"{lost.Name} is up again and trains",
            () => AllUp() && Observer.Tasks.Any(t => t.RunsOn(lost.Address)) || Enough(),
            Look,
            cancellationToken
        );
        await DrainAsync(lost, cancellationToken);
        await WaitAsync("all tasks end", () => Observer.Tasks.All(t => t.Finished), Look, cancellationToken);
        Tell("all tasks have ended");
        await WaitAsync("the uninterrupted runs end", () => scene.References.Done == scene.References.Total, Look, cancellationToken);
        await Task.WhenAll(followers).WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, cancellationToken);
    }

    private bool AllUp() => scene.Nodes.All(node => Observer.Member(node) is { State: MemberState.Up, Reachable: true });

    /// <summary>Whether tasks are so far that a drain cannot wait any more.</summary>
    private bool Enough() => Observer.Tasks.Where(t => t.Seed is not null).All(t => Words.Share(t) > 0.6);

    private async Task<List<Task>> SubmitAsync(string? python, CancellationToken cancellationToken)
    {
        List<Task> followers = [];
        if (python is not null)
        {
            // First, since it takes the longest to its first step.
            ScriptOutput output = new();
            TaskRecord pytorch = new(DemoTasks.PyTorch(paths, python), null) { Output = output };
            await cluster.Client.SubmitAsync(pytorch.Spec, cancellationToken);
            Observer.Tasks.Add(pytorch);
            followers.Add(output.FollowAsync(cluster.Client, pytorch.Name, cancellationToken));
        }

        foreach ((TaskSpec spec, int seed) in DemoTasks.Digits(paths))
        {
            await cluster.Client.SubmitAsync(spec, cancellationToken);
            Observer.Tasks.Add(new TaskRecord(spec, seed));
        }

        Observer.Tasks.Sort((a, b) => b.Spec.Priority.CompareTo(a.Spec.Priority));
        Tell(string.Create(CultureInfo.InvariantCulture, $"{Observer.Tasks.Count} tasks are submitted"));
        return followers;
    }

    private async Task<NodeProcess> KillAsync(CancellationToken cancellationToken)
    {
        NodeProcess? victim = null;
        await WaitAsync(
            "a node's tasks are all past a checkpoint",
            () => (victim = ChooseVictim()) is not null,
            CloseLook,
            cancellationToken
        );
        NodeProcess lost = victim!;
        List<TaskRecord> tasks = [.. Observer.Tasks.Where(t => t.RunsOn(lost.Address))];
        long incarnation = Observer.Member(lost)!.Incarnation;
        using ActorTrainerClient survivors = new(
            new ActorTrainerClientOptions
            {
                Nodes = [.. scene.Nodes.Where(n => n != lost).Select(n => n.Address)],
                Timeout = TimeSpan.FromSeconds(2),
            }
        );

        // Once before, so that the connection stands.
        await survivors.GetVersionAsync(cancellationToken);
        TimeSpan at = scene.Clock();
        lost.Kill();
        lost.Fate = "killed";
        foreach (TaskRecord task in tasks)
        {
            task.TakeLoss(at);
        }

        Task<TimeSpan> down = Observer.WaitForDownAsync(survivors, incarnation, scene.Clock, cancellationToken);
        Tell($"{lost.Name} is killed with kill -9 while it trains {string.Join(", ", tasks.Select(Describe))}");
        await WaitAsync($"the loss of {lost.Name} is known", () => down.IsCompleted, CloseLook, cancellationToken);
        DetectedAfter = await down - at;
        lost.Fate = "down";
        Tell($"the others know after {Words.Seconds(DetectedAfter)}");
        await WaitAsync(
            $"the tasks of {lost.Name} train again",
            () => tasks.All(t => t.Loss!.TrainedAgainAfter is not null || t.Finished),
            CloseLook,
            cancellationToken
        );
        IEnumerable<string> again = tasks.Select(t =>
            $"{t.Name} on {Words.NodeOf(t, scene.Nodes)} after {Words.Seconds(t.Loss!.TrainedAgainAfter)}"
        );
        Tell($"its tasks train again: {string.Join(", ", again)}");
        return lost;
    }

    /// <summary>The node with the PyTorch task if it is ready, or becomes so in time; else the one with the most tasks.</summary>
    private NodeProcess? ChooseVictim()
    {
        if (!Observer.Tasks.All(t => t.View is { Live: true } or { Runs: > 0 }))
        {
            return null;
        }

        bool hurry = Observer.Tasks.Any(t => t.Seed is not null && Words.Share(t) > 0.4);
        return scene
            .Nodes.Select(node => (Node: node, Tasks: Observer.Tasks.Where(t => t.RunsOn(node.Address)).ToList()))
            .Where(n => n.Tasks.Count > 0 && n.Tasks.All(t => t.IsPastACheckpoint))
            .Where(n => hurry || Observer.Tasks.All(t => t.Output is null) || n.Tasks.Any(t => t.Output is not null))
            .OrderByDescending(n => n.Tasks.Any(t => t.Output is not null))
            .ThenByDescending(n => n.Tasks.Count)
            .FirstOrDefault()
            .Node;
    }

    private static string Describe(TaskRecord task) =>
        task.Output is null
            ? string.Create(CultureInfo.InvariantCulture, $"{task.Name} (epoch {task.View!.Progress.Epoch:0.0})")
            : string.Create(CultureInfo.InvariantCulture, $"{task.Name} (step {task.Step})");

    private async Task DrainAsync(NodeProcess restarted, CancellationToken cancellationToken)
    {
        // A script that was not on the lost node is interrupted here.
        NodeProcess node = scene
            .Nodes.Where(n => n != restarted)
            .OrderByDescending(n => Observer.Tasks.Any(t => t is { Output: not null, Loss: null } && t.RunsOn(n.Address)))
            .ThenByDescending(n => Observer.Tasks.Count(t => t.RunsOn(n.Address)))
            .First();
        List<TaskRecord> tasks = [.. Observer.Tasks.Where(t => t.RunsOn(node.Address))];
        if (tasks.Count == 0)
        {
            throw new DemoException($"nothing trains on {node.Name} any more, so that draining it would show nothing");
        }

        Tell($"{node.Name} is drained while it trains {string.Join(", ", tasks.Select(Describe))}");
        TimeSpan at = scene.Clock();
        node.Fate = "draining";

        // Through the others, since this one's process ends with its answer, and first the one that was there all along.
        using ActorTrainerClient others = new(
            new ActorTrainerClientOptions
            {
                Nodes = [.. scene.Nodes.Where(n => n != node).OrderBy(n => n == restarted).Select(n => n.Address)],
            }
        );
        Task drain = others.DrainAsync(node.Name, cancellationToken);
        await WaitAsync($"{node.Name} is empty", () => drain.IsCompleted, CloseLook, cancellationToken);
        await drain;
        TimeSpan empty = scene.Clock() - at;
        await WaitAsync($"the process of {node.Name} ends", () => !node.IsRunning, Look, cancellationToken);
        node.Fate = "drained";
        Tell($"{node.Name} is empty after {Words.Seconds(empty)}, and has ended");
    }

    private void Tell(string text)
    {
        scene.Story.Add((scene.Clock(), text));
        screen.Show(scene);
    }

    /// <summary>Looks, shows and asks until a condition holds.</summary>
    private async Task WaitAsync(string what, Func<bool> condition, TimeSpan pause, CancellationToken cancellationToken)
    {
        TimeSpan until = scene.Clock() + Limit;
        while (true)
        {
            await Observer.LookAsync(cancellationToken);
            screen.Show(scene);
            if (condition())
            {
                return;
            }

            cluster.ThrowIfBroken();
            if (
                Observer.Tasks.FirstOrDefault(t =>
                    t.View is { Status: Core.Tasks.TaskStatus.Held or Core.Tasks.TaskStatus.Failed or Core.Tasks.TaskStatus.Cancelled }
                ) is
                { } ended
            )
            {
                throw new DemoException($"{ended.Name} is {Words.Status(ended)}: {ended.View!.Detail}");
            }

            if (scene.Clock() > until)
            {
                throw new DemoException($"within {Limit.TotalMinutes:0} minutes it did not come about that {what}");
            }

            await Task.Delay(pause, TimeProvider.System, cancellationToken);
        }
    }
}
