using System.Globalization;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>
/// Which folded states are read. Where events are deleted a task's snapshots are all there is of its beginning, so one of the fold version
/// before this one is read as well: a step makes of it what this fold would have made. Version 2 is the first that was released (with
/// 0.2.0), so there is no step yet; raising <see cref="TaskState.FoldVersion"/> takes one.
/// </summary>
/// <param name="current">The version of this fold.</param>
/// <param name="steps">By fold version: makes of a state of that version one of the next.</param>
internal sealed class SnapshotVersions(int current, IReadOnlyDictionary<int, Func<FoldedTask, FoldedTask>> steps)
{
    /// <summary>The fold version of the first release; those before it are nowhere kept.</summary>
    public const int FirstReleased = 2;

    /// <summary>Of this version of ActorTrainer.</summary>
    public static SnapshotVersions OfProduct { get; } = new(TaskState.FoldVersion, new Dictionary<int, Func<FoldedTask, FoldedTask>>());

    /// <summary>Whether a state of a version is read.</summary>
    public bool Reads(int version) => version == current || (version < current && steps.ContainsKey(version) && Reads(version + 1));

    /// <summary>Reads what stands in a snapshot.</summary>
    /// <param name="snapshot">What the serializer has made of it.</param>
    /// <param name="problem">Why it cannot be used; null when it can.</param>
    /// <returns>The state as this fold has it, or null.</returns>
    public FoldedTask? Read(object snapshot, out string? problem)
    {
        problem = snapshot switch
        {
            FoldedTask folded when Reads(folded.FoldVersion) => null,
            FoldedTask folded => Refusal(folded.FoldVersion),
            Unreadable unreadable => unreadable.Reason,
            _ => $"it holds {snapshot.GetType().Name} and no state of a task",
        };
        if (problem is not null)
        {
            return null;
        }

        FoldedTask read = (FoldedTask)snapshot;
        while (read.FoldVersion < current)
        {
            read = steps[read.FoldVersion](read) with { FoldVersion = read.FoldVersion + 1 };
        }

        return read;
    }

    private string Refusal(int version)
    {
        int oldest = Enumerable.Range(0, current).FirstOrDefault(Reads, current);
        string known = oldest == current ? $"{current}" : $"{oldest} to {current}";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"it is of fold version {version}, which {(version > current ? "a newer" : "an older")} version of ActorTrainer wrote; "
                + $"this one reads {known}. Use a version that reads it"
        );
    }
}
