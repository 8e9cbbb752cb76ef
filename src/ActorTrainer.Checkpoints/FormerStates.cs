using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// What the last save of each task had at which place: its chunks by a checksum of 128 bits, beside their names. A chunk that has the
/// checksum of the one that stood at its place is that one, and needs no SHA-256, which takes many times as long. Of 128 bits no two chunks
/// of one task fall together by accident, and on purpose a task could only spoil its own. Thread-safe.
/// </summary>
internal sealed class FormerStates
{
    /// <summary>
    /// Of all tasks: some 30 MB, for states of 128 GiB in chunks of 1 MiB. Beyond that the tasks that saved longest ago go.
    /// </summary>
    private const int MostChunks = 1 << 17;

    private readonly Lock _lock = new();
    private readonly LinkedList<(TaskId Task, FormerState State)> _states = [];
    private int _chunks;

    /// <summary>The state that a task saved last; one without anything when it is not known.</summary>
    public FormerState Of(TaskId task)
    {
        lock (_lock)
        {
            return Find(task)?.Value.State ?? FormerState.None;
        }
    }

    /// <summary>A task has saved a state.</summary>
    public void Saved(TaskId task, FormerState state)
    {
        lock (_lock)
        {
            if (Find(task) is { } former)
            {
                Remove(former);
            }

            _states.AddLast((task, state));
            _chunks += state.Chunks;
            while (_chunks > MostChunks)
            {
                Remove(_states.First!);
            }
        }
    }

    private LinkedListNode<(TaskId Task, FormerState State)>? Find(TaskId task)
    {
        for (LinkedListNode<(TaskId Task, FormerState State)>? node = _states.Last; node is not null; node = node.Previous)
        {
            if (node.Value.Task == task)
            {
                return node;
            }
        }

        return null;
    }

    private void Remove(LinkedListNode<(TaskId Task, FormerState State)> node)
    {
        _states.Remove(node);
        _chunks -= node.Value.State.Chunks;
    }
}

/// <summary>A state that was saved, by the chunks of its files.</summary>
/// <param name="files">By path.</param>
/// <param name="chunkSize">Bytes of a chunk that is not a file's last.</param>
internal sealed class FormerState(IReadOnlyDictionary<string, FormerFile> files, int chunkSize)
{
    public static FormerState None { get; } = new(new Dictionary<string, FormerFile>(), 0);

    public int Chunks { get; } = files.Values.Sum(file => file.Keys.Length);

    /// <summary>A file in chunks of a size; null when it has no such one.</summary>
    public FormerFile? Find(string path, int size) => size == chunkSize ? files.GetValueOrDefault(path) : null;
}

/// <summary>A file's chunks.</summary>
/// <param name="Sums">XXH3 of 128 bits of each.</param>
/// <param name="Keys">SHA-256 of each, lower-case hexadecimal.</param>
/// <param name="Length">The file's length in bytes.</param>
internal sealed record FormerFile(UInt128[] Sums, string[] Keys, long Length)
{
    /// <summary>The name of the chunk at a place, if it is the one that has a checksum and a length; null: another stood there.</summary>
    public string? KeyAt(int index, UInt128 sum, int length, int chunkSize) =>
        At(index, length, chunkSize) is { } chunk && chunk.Sum == sum ? chunk.Key : null;

    /// <summary>The chunk at a place, if it has a length; null: another stood there.</summary>
    public (string Key, UInt128 Sum)? At(int index, int length, int chunkSize) =>
        index < Keys.Length && Math.Min(chunkSize, Length - ((long)index * chunkSize)) == length ? (Keys[index], Sums[index]) : null;
}
