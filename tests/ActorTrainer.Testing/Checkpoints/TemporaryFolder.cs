using ActorTrainer.Checkpoints;

namespace ActorTrainer.Testing.Checkpoints;

/// <summary>A folder of a test's own, removed at its end.</summary>
public sealed class TemporaryFolder : IDisposable
{
    /// <summary>Makes it below the system's folder for temporary files.</summary>
    public TemporaryFolder() => Root = Directory.CreateTempSubdirectory("actortrainer-test-").FullName;

    /// <summary>Its absolute path.</summary>
    public string Root { get; }

    /// <summary>A path below it.</summary>
    public string this[string relative] => Path.Combine(Root, relative);

    /// <inheritdoc />
    public void Dispose()
    {
        if (Directory.Exists(Root))
        {
            NativeFiles.DeleteFolder(Root);
        }
    }
}
