namespace ActorTrainer.Training.Storage;

/// <summary>Where a state's files are written.</summary>
internal abstract class StateTarget
{
    /// <summary>Makes a file; written from its beginning to its end, then disposed of.</summary>
    /// <param name="path">Relative, with <c>/</c>.</param>
    public abstract Stream Create(string path);

    /// <summary>Makes the file of tensors.</summary>
    public abstract TensorFile CreateTensors(string path);
}

/// <summary>A file whose header is known when all of its data is there. Without <see cref="Complete"/> it is none.</summary>
internal abstract class TensorFile : IDisposable
{
    /// <summary>8 bytes of length and the JSON; room for about 500 tensors.</summary>
    public const int ReservedBytes = 64 * 1024;

    /// <summary>Adds data.</summary>
    public abstract void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Puts the header before the data.</summary>
    public abstract void Complete(ReadOnlySpan<byte> header);

    public abstract void Dispose();
}
