using System.Globalization;
using ActorTrainer.Client;
using ActorTrainer.Core.Membership;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Samples.Demo;

/// <summary>What is shown while the demo runs.</summary>
internal sealed record Scene(
    Observer Observer,
    IReadOnlyList<NodeProcess> Nodes,
    References References,
    List<(TimeSpan At, string Text)> Story,
    Func<TimeSpan> Clock
);

/// <summary>Shows a scene again and again.</summary>
internal interface IScreen
{
    void Show(Scene scene);
}

/// <summary>Words and numbers of both screens.</summary>
internal static class Words
{
    public static string Time(TimeSpan time) => time.ToString(@"mm\:ss", CultureInfo.InvariantCulture);

    public static string Seconds(TimeSpan? time) =>
        time is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known.TotalSeconds:0.00} s") : "-";

    public static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Status(TaskRecord task) => task.View?.Status.ToString().ToLowerInvariant() ?? "submitted";

    /// <summary>The share done in [0, 1], or null when the end is not known.</summary>
    public static double? Share(TaskRecord task) =>
        task.View switch
        {
            { Status: TaskStatus.Completed } => 1,
            { Progress: { TotalSteps: > 0 } progress } => Math.Clamp((double)progress.Step / progress.TotalSteps.Value, 0, 1),
            _ => null,
        };

    public static string NodeOf(TaskRecord task, IReadOnlyList<NodeProcess> nodes) =>
        nodes.FirstOrDefault(node => node.Address == task.View?.Node)?.Name ?? "-";

    public static string State(NodeProcess node, MemberView? member) =>
        (node.Fate, node.IsRunning, member?.State) switch
        {
            ({ Length: > 0 } fate, _, _) => fate,
            (_, false, _) => node.WasStarted ? "ended" : "-",
            (_, true, MemberState.Down) => "starting",
            (_, true, { } state) => state.ToString().ToLowerInvariant(),
            _ => "starting",
        };
}
