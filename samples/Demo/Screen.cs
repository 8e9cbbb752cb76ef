using System.Globalization;
using ActorTrainer.Core.Membership;
using ActorTrainer.Runtime.Api;
using Spectre.Console;
using Spectre.Console.Rendering;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Samples.Demo;

/// <summary>What is shown while the demo runs.</summary>
internal sealed record Scene(
    Observer Observer, IReadOnlyList<NodeProcess> Nodes, References References, List<(TimeSpan At, string Text)> Story, Func<TimeSpan> Clock);

/// <summary>Shows a scene again and again.</summary>
internal interface IScreen
{
    void Show(Scene scene);
}

/// <summary>Words and numbers of both screens.</summary>
internal static class Show
{
    public static string Time(TimeSpan time) => time.ToString(@"mm\:ss", CultureInfo.InvariantCulture);

    public static string Seconds(TimeSpan? time) =>
        time is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known.TotalSeconds:0.00} s") : "-";

    public static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Status(TaskRecord task) => task.View?.Status.ToString().ToLowerInvariant() ?? "submitted";

    /// <summary>The share done in [0, 1], or null when the end is not known.</summary>
    public static double? Share(TaskRecord task) => task.View switch
    {
        { Status: TaskStatus.Completed } => 1,
        { Progress: { TotalSteps: > 0 } progress } => Math.Clamp((double)progress.Step / progress.TotalSteps.Value, 0, 1),
        _ => null,
    };

    public static string NodeOf(TaskRecord task, IReadOnlyList<NodeProcess> nodes) =>
        nodes.FirstOrDefault(node => node.Address == task.View?.Node)?.Name ?? "-";

    public static string State(NodeProcess node, MemberView? member) => (node.Fate, node.IsRunning, member?.State) switch
    {
        ({ Length: > 0 } fate, _, _) => fate,
        (_, false, _) => node.WasStarted ? "ended" : "-",
        (_, true, MemberState.Down) => "starting",
        (_, true, { } state) => state.ToString().ToLowerInvariant(),
        _ => "starting",
    };
}

/// <summary>For a pipe or a plain terminal: a line for each change.</summary>
internal sealed class LineScreen(TextWriter output) : IScreen
{
    private readonly Dictionary<string, string> _last = new(StringComparer.Ordinal);
    private int _told;

    public void Show(Scene scene)
    {
        foreach ((TimeSpan at, string text) in scene.Story.Skip(_told))
        {
            output.WriteLine($"{Demo.Show.Time(at)} {text}");
        }

        _told = scene.Story.Count;
        string now = Demo.Show.Time(scene.Clock());
        foreach (NodeProcess node in scene.Nodes)
        {
            Change(now, node.Name, $"{node.Name} {Demo.Show.State(node, scene.Observer.Member(node))}");
        }

        foreach (TaskRecord task in scene.Observer.Tasks)
        {
            Change(now, task.Name, Describe(task, scene.Nodes));
        }

        Change(now, "", $"uninterrupted runs: {scene.References.Done} of {scene.References.Total} done");
    }

    private static string Describe(TaskRecord task, IReadOnlyList<NodeProcess> nodes)
    {
        List<string> parts = [task.Name, Demo.Show.Status(task)];
        if (task.View is { Status: TaskStatus.Running, Runs: var run })
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"on {Demo.Show.NodeOf(task, nodes)}, run {run}"));
        }

        // Quarters only: a line for each step would be a flood.
        if (Demo.Show.Share(task) is { } share && share < 1)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(share * 4) * 25:0}%"));
        }

        if (task.View is { Status: TaskStatus.Held or TaskStatus.Failed or TaskStatus.Retrying, Detail: var detail })
        {
            parts.Add($"({detail})");
        }

        return string.Join(' ', parts);
    }

    private void Change(string now, string key, string line)
    {
        if (_last.GetValueOrDefault(key) != line)
        {
            _last[key] = line;
            output.WriteLine($"{now} {line}");
        }
    }
}

/// <summary>For a terminal: tables that are drawn anew in place.</summary>
internal sealed class LiveScreen(LiveDisplayContext live, int height) : IScreen
{
    private const int BarWidth = 14;

    public void Show(Scene scene)
    {
        Table tasks = Create("TASK", ">PRI", "STATUS", "PROGRESS", "NODE", ">STEP", "CHECKPOINT");
        foreach (TaskRecord task in scene.Observer.Tasks)
        {
            tasks.AddRow(Row(task, scene));
        }

        Table nodes = Create("NODE", "STATE", ">SLOTS", "ADDRESS");
        foreach (NodeProcess node in scene.Nodes)
        {
            MemberView? member = scene.Observer.Member(node);
            string state = Demo.Show.State(node, member);
            bool up = state == "up";
            nodes.AddRow(
                new Text(node.Name),
                new Text(state, new Style(up ? Color.Green : node.IsRunning ? Color.Yellow : Color.Red)),
                new Text(up && member is not null ? string.Create(CultureInfo.InvariantCulture, $"{member.UsedSlots}/{member.Slots}") : "-"),
                new Text(node.Address.ToString()));
        }

        List<IRenderable> rows =
        [
            new Text(
                $"ActorTrainer demo  {Demo.Show.Time(scene.Clock())}  uninterrupted runs done: {scene.References.Done} of {scene.References.Total}",
                new Style(decoration: Decoration.Bold)),
            new Text(""),
            tasks,
            new Text(""),
            nodes,
            new Text(""),
        ];

        // What does not fit would scroll the table away.
        int room = Math.Max(2, height - scene.Observer.Tasks.Count - scene.Nodes.Count - 8);
        string[] story = [.. scene.Story.SelectMany(line => Wrap($"{Demo.Show.Time(line.At)} {line.Text}"))];
        rows.AddRange(story.TakeLast(room).Select(line => new Text(line)));
        live.UpdateTarget(new Rows(rows));
        live.Refresh();
    }

    /// <summary>A table without lines; a header that starts with '>' is right-aligned.</summary>
    public static Table Create(params IEnumerable<string> headers)
    {
        Table table = new() { Border = TableBorder.None };
        foreach (string header in headers)
        {
            bool right = header.StartsWith('>');
            table.AddColumn(new TableColumn(new Text(right ? header[1..] : header, new Style(decoration: Decoration.Bold)))
            {
                Alignment = right ? Justify.Right : Justify.Left,
                Padding = new Padding(0, 0, 2, 0),
                NoWrap = true,
            });
        }

        return table;
    }

    private static IRenderable[] Row(TaskRecord task, Scene scene)
    {
        Style style = new(task.View?.Status switch
        {
            TaskStatus.Running => Color.Green,
            TaskStatus.Completed => Color.Blue,
            TaskStatus.Failed or TaskStatus.Held => Color.Red,
            _ => Color.Yellow,
        });
        string bar = Demo.Show.Share(task) is { } share
            ? string.Create(CultureInfo.InvariantCulture, $"{Bar(share)} {Math.Floor(share * 100),3:0}%")
            : "";
        string saved = task.CheckpointSeenAt == TimeSpan.Zero
            ? "-"
            : string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (scene.Clock() - task.CheckpointSeenAt).TotalSeconds):0} s ago");
        return
        [
            new Text(task.Name),
            new Text(Demo.Show.Number(task.Spec.Priority)),
            new Text(Demo.Show.Status(task), style),
            new Text(bar, style),
            new Text(Demo.Show.NodeOf(task, scene.Nodes)),
            new Text(Demo.Show.Number(task.Step)),
            new Text(task.Finished ? "" : saved),
        ];
    }

    private static string Bar(double share)
    {
        int full = (int)Math.Floor(share * BarWidth);
        return new string('━', full) + new string('─', BarWidth - full);
    }

    private static IEnumerable<string> Wrap(string text)
    {
        const int Width = 79;
        while (text.Length > Width)
        {
            int cut = text.LastIndexOf(' ', Width);
            cut = cut < 20 ? Width : cut;
            yield return text[..cut];
            text = "      " + text[cut..].TrimStart();
        }

        yield return text;
    }
}
