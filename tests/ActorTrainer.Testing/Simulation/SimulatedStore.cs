using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Testing.Simulation;

/// <summary>A checkpoint store that every simulated node reads. A checkpoint is the number of steps it stands for.</summary>
public sealed class SimulatedStore
{
    private readonly SortedDictionary<string, long> _checkpoints = new(StringComparer.Ordinal);

    /// <summary>Stores a checkpoint.</summary>
    public CheckpointRef Write(TaskId task, string name, long step, string reason)
    {
        _checkpoints[Key(task, name)] = step;
        return new CheckpointRef(name, step, 0, reason, 8, 8, [CheckpointNames.PackFile(name)], "", new Dictionary<string, double>());
    }

    /// <summary>The steps of a checkpoint, or null when it is gone.</summary>
    public long? Read(TaskId task, string name) => _checkpoints.TryGetValue(Key(task, name), out long step) ? step : null;

    /// <summary>Damages a checkpoint for good.</summary>
    public void Damage(TaskId task, string name) => _checkpoints.Remove(Key(task, name));

    /// <summary>The task's files.</summary>
    public IReadOnlyList<string> Files(TaskId task) =>
        [.. _checkpoints.Keys.Where(k => k.StartsWith($"{task}/", StringComparison.Ordinal)).Select(k => CheckpointNames.PackFile(k[(task.Value.Length + 1)..]))];

    /// <summary>Removes files.</summary>
    public void Unlink(TaskId task, IReadOnlyList<string> files)
    {
        foreach (string key in _checkpoints.Keys.Where(k => k.StartsWith($"{task}/", StringComparison.Ordinal)).ToArray())
        {
            if (files.Contains(CheckpointNames.PackFile(key[(task.Value.Length + 1)..])))
            {
                _checkpoints.Remove(key);
            }
        }
    }

    private static string Key(TaskId task, string name) => $"{task}/{name}";
}
