using System.Globalization;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints.Outputs;

/// <summary>
/// Whose output it is. The node belongs to it: two owners may have started a run of one number, and what they printed is not mixed.
/// </summary>
internal readonly record struct OutputKey(TaskId Task, long Term, int Run, NodeAddress Node)
{
    /// <summary>The folder below the task's: <c>TERM-RUN-NODE</c>.</summary>
    public string FolderName => string.Create(CultureInfo.InvariantCulture, $"{Term}-{Run}-{Uri.EscapeDataString(Node.ToString())}");

    /// <summary>The run of a folder's name; null: it is none.</summary>
    public static OutputKey? Parse(TaskId task, string folderName)
    {
        string[] parts = folderName.Split('-', 3);
        return
            parts.Length == 3
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long term)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int run)
            && NodeAddress.TryParse(Uri.UnescapeDataString(parts[2]), out NodeAddress node)
            ? new OutputKey(task, term, run, node)
            : null;
    }

    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Task}/{Term}-{Run} of {Node}");
}

/// <summary>A piece of a run's output in the store.</summary>
/// <param name="Start">The place of its first byte in all that the run printed, from 0.</param>
/// <param name="End">The place behind its last byte.</param>
/// <param name="At">When it was written.</param>
internal readonly record struct OutputSegment(long Start, long End, DateTimeOffset At)
{
    /// <summary>Bytes, uncompressed.</summary>
    public long Length => End - Start;
}

/// <summary>What the store has of a run.</summary>
/// <param name="Key">The run.</param>
/// <param name="Segments">By place; none overlaps another.</param>
/// <param name="Total">How much the run printed in all, once it has ended and everything is here that its node had; null before.</param>
internal sealed record StoredRun(OutputKey Key, IReadOnlyList<OutputSegment> Segments, long? Total)
{
    /// <summary>Bytes that are here, uncompressed.</summary>
    public long Bytes => Segments.Sum(segment => segment.Length);

    /// <summary>How far it is known that the run has printed.</summary>
    public long End => Math.Max(Total ?? 0, Segments.Count > 0 ? Segments[^1].End : 0);

    /// <summary>When the last was written; null: nothing is here.</summary>
    public DateTimeOffset? At => Segments.Count > 0 ? Segments[^1].At : null;
}
