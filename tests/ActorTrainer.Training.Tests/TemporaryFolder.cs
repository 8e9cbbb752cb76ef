namespace ActorTrainer.Training.Tests;

/// <summary>
/// A folder that is gone after the test. Its path is short: it also holds Unix sockets, whose paths are limited to 107 bytes.
/// </summary>
internal sealed class TemporaryFolder : IDisposable
{
    private const string Memory = "/dev/shm";

    /// <param name="inMemory">Whether its files are memory, as a node's areas are; where the system has a place for such.</param>
    public TemporaryFolder(bool inMemory = false) =>
        Path =
            inMemory && Directory.Exists(Memory)
                ? Directory.CreateDirectory(System.IO.Path.Combine(Memory, System.IO.Path.GetRandomFileName())).FullName
                : Directory.CreateTempSubdirectory("at-").FullName;

    public string Path { get; }

    public string Sub(string name) => Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName;

    public string Combine(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
