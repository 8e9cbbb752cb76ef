namespace ActorTrainer.Checkpoints;

/// <summary>
/// Every change that a folder store makes to its files, and nothing else: what stands here one by one is what a crash or an error can fall
/// between. Reading is not part of it. Errors are those of the file system.
/// </summary>
internal interface IDisk
{
    /// <summary>Makes a file that is not there yet, to write it from its beginning.</summary>
    /// <param name="path">Its name.</param>
    /// <param name="expected">How many bytes it may come to have; what is large is written in another way.</param>
    IDiskFile Create(string path, long expected = 0);

    /// <summary>Gives a file another name in one step.</summary>
    /// <param name="from">Its name.</param>
    /// <param name="to">The other one.</param>
    /// <param name="overwrite">Whether a file of that name gives way; otherwise it is an error.</param>
    void Rename(string from, string to, bool overwrite);

    /// <summary>Gives a file a second name; false where the system or the file system cannot, or the file is not there.</summary>
    bool TryLink(string existing, string name);

    /// <summary>Removes a name; one that is not there is passed over.</summary>
    /// <exception cref="DirectoryNotFoundException">Its folder is not there.</exception>
    void Unlink(string path);

    /// <summary>Makes a folder whose parent is there.</summary>
    void MakeFolder(string path);

    /// <summary>Makes the names in a folder durable.</summary>
    void SyncFolder(string path);
}

/// <summary>A file that is being written. Disposing of it promises nothing about its bytes.</summary>
internal interface IDiskFile : IDisposable
{
    /// <summary>How many bytes the file system says that it has.</summary>
    long Length { get; }

    /// <summary>Writes all of the bytes at its end.</summary>
    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Makes its bytes durable.</summary>
    void Sync();
}
