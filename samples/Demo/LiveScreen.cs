using System.Globalization;
using ActorTrainer.Client;
using Spectre.Console;
using Spectre.Console.Rendering;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Samples.Demo;

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
            string state = Words.State(node, member);
            bool up = state == "up";
            nodes.AddRow(
                new Text(node.Name),
                new Text(
                    state,
                    new Style(
                        up ? Color.Green
                        : node.IsRunning ? Color.Yellow
                        : Color.Red
                    )
                ),
                new Text(
                    up && member is not null ? string.Create(CultureInfo.InvariantCulture, $"{member.UsedSlots}/{member.Slots}") : "-"
                ),
                new Text(node.Address.ToString())
            );
        }

        List<IRenderable> rows =
        [
            new Text(
                $"ActorTrainer demo  {Words.Time(scene.Clock())}  uninterrupted runs done: "
                    + $"{scene.References.Done} of {scene.References.Total}",
                new Style(decoration: Decoration.Bold)
            ),
            new Text(""),
            tasks,
            new Text(""),
            nodes,
            new Text(""),
        ];

        // What does not fit would scroll the table away.
        int room = Math.Max(2, height - scene.Observer.Tasks.Count - scene.Nodes.Count - 8);
        string[] story = [.. scene.Story.SelectMany(line => Wrap($"{Words.Time(line.At)} {line.Text}"))];
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
            table.AddColumn(
                new TableColumn(new Text(right ? header[1..] : header, new Style(decoration: Decoration.Bold)))
                {
                    Alignment = right ? Justify.Right : Justify.Left,
                    Padding = new Padding(0, 0, 2, 0),
                    NoWrap = true,
                }
            );
        }

        return table;
    }

    private static IRenderable[] Row(TaskRecord task, Scene scene)
    {
        Style style = new(
            task.View?.Status switch
            {
                TaskStatus.Running => Color.Green,
                TaskStatus.Completed => Color.Blue,
                TaskStatus.Failed or TaskStatus.Held => Color.Red,
                _ => Color.Yellow,
            }
        );
        string bar = Words.Share(task) is { } share
            ? string.Create(CultureInfo.InvariantCulture, $"{Bar(share)} {Math.Floor(share * 100), 3:0}%")
            : "";
        string saved =
            task.CheckpointSeenAt == TimeSpan.Zero
                ? "-"
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Math.Max(0, (scene.Clock() - task.CheckpointSeenAt).TotalSeconds):0} s ago"
                );
        return
        [
            new Text(task.Name),
            new Text(Words.Number(task.Spec.Priority)),
            new Text(Words.Status(task), style),
            new Text(bar, style),
            new Text(Words.NodeOf(task, scene.Nodes)),
            new Text(Words.Number(task.Step)),
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
