namespace ActorTrainer.Runtime.Node;

/// <summary>Folders for files of checkpoints that arrive at this node, until they are in the store.</summary>
/// <param name="dataDirectory">The node's data directory.</param>
internal sealed class ArrivalFolders(string dataDirectory)
{
    private readonly string _root = Path.Combine(Path.GetFullPath(dataDirectory), "import");

    /// <summary>Makes an empty one.</summary>
    public string Create() => Directory.CreateDirectory(Path.Combine(_root, Path.GetRandomFileName())).FullName;

    /// <summary>Removes what a life before left behind, as it ended in the middle of an import.</summary>
    public void Clear()
    {
        try
        {
            Directory.Delete(_root, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // There is none, or it stays where it is: the next start tries again.
        }
    }
}
