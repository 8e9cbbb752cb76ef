using System.Globalization;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Samples.Demo;

/// <summary>For a pipe or a plain terminal: a line for each change.</summary>
internal sealed class LineScreen(TextWriter output) : IScreen
{
    private readonly Dictionary<string, string> _last = new(StringComparer.Ordinal);
    private int _told;

    public void Show(Scene scene)
    {
        foreach ((TimeSpan at, string text) in scene.Story.Skip(_told))
        {
            output.WriteLine($"{Words.Time(at)} {text}");
        }

        _told = scene.Story.Count;
        string now = Words.Time(scene.Clock());
        foreach (NodeProcess node in scene.Nodes)
        {
            Change(now, node.Name, $"{node.Name} {Words.State(node, scene.Observer.Member(node))}");
        }

        foreach (TaskRecord task in scene.Observer.Tasks)
        {
            Change(now, task.Name, Describe(task, scene.Nodes));
        }

        Change(now, "", $"uninterrupted runs: {scene.References.Done} of {scene.References.Total} done");
    }

    private static string Describe(TaskRecord task, IReadOnlyList<NodeProcess> nodes)
    {
        List<string> parts = [task.Name, Words.Status(task)];
        if (task.View is { Status: TaskStatus.Running, Runs: var run })
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"on {Words.NodeOf(task, nodes)}, run {run}"));
        }

        // Quarters only: a line for each step would be a flood.
        if (Words.Share(task) is { } share && share < 1)
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
