namespace ActorTrainer.Checkpoints.Tests.Faults;

/// <summary>
/// What a disk promises, and no more: a file's bytes are there after a power cut once the file was synced, its name once its folder was.
/// What was not synced may be there or not, each name apart from the others; bytes that were not synced may be cut off or zero.
/// </summary>
internal sealed class DiskModel
{
    // More would be 64 states for one moment; then each one alone is lost, and each one alone is kept.
    private const int MostCombined = 5;

    private readonly Dictionary<string, Node> _now = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Node> _durable = new(StringComparer.Ordinal);
    private readonly List<Pending> _pending = [];

    public DiskModel(IEnumerable<DiskStep> steps)
    {
        foreach (DiskStep step in steps)
        {
            Apply(step);
        }
    }

    /// <summary>What a process finds that starts now.</summary>
    public DiskState Now => StateOf(_now, _ => Keep.All);

    /// <summary>What is left when the power is cut and all is lost that may be.</summary>
    public DiskState Promised => StateOf(_durable, _ => Keep.Synced);

    /// <summary>What may be left when the power is cut now.</summary>
    public IEnumerable<DiskState> AfterPowerCut()
    {
        foreach (Func<int, bool> isKept in Choices(_pending.Count))
        {
            Dictionary<string, Node> names = new(_durable, StringComparer.Ordinal);
            foreach (Pending pending in _pending.Where((_, index) => isKept(index)))
            {
                pending.ApplyTo(names);
            }

            Node[] unsynced = [.. names.Values.Where(node => node.Bytes.Count > node.Synced)];
            foreach (Keep keep in unsynced.Length == 0 ? [Keep.All] : Enum.GetValues<Keep>())
            {
                yield return StateOf(names, _ => keep);
            }

            foreach (Node lost in unsynced.Length > 1 ? unsynced : [])
            {
                yield return StateOf(names, node => node == lost ? Keep.Synced : Keep.All);
                yield return StateOf(names, node => node == lost ? Keep.All : Keep.Synced);
            }
        }
    }

    private static IEnumerable<Func<int, bool>> Choices(int count)
    {
        if (count <= MostCombined)
        {
            return Enumerable.Range(0, 1 << count).Select<int, Func<int, bool>>(chosen => index => ((chosen >> index) & 1) != 0);
        }

        return Enumerable
            .Range(0, count)
            .SelectMany<int, Func<int, bool>>(one => [index => index == one, index => index != one, index => index < one])
            .Append(_ => true);
    }

    private void Apply(DiskStep step)
    {
        switch (step.Action)
        {
            case DiskAction.Create:
                Change((step.Path, new Node(isFolder: false)));
                break;
            case DiskAction.MakeFolder:
                Change((step.Path, new Node(isFolder: true)));
                break;
            case DiskAction.Append:
                _now[step.Path].Bytes.AddRange(step.Bytes!);
                break;
            case DiskAction.Sync:
                _now[step.Path].Synced = _now[step.Path].Bytes.Count;
                break;
            case DiskAction.Rename:
                Change((step.Path, null), (step.To!, _now[step.Path]));
                break;
            case DiskAction.Link:
                Change((step.To!, _now[step.Path]));
                break;
            case DiskAction.Unlink:
                Change((step.Path, null));
                break;
            default:
                foreach (Pending pending in _pending.Where(pending => pending.Folder == step.Path))
                {
                    pending.ApplyTo(_durable);
                }

                _pending.RemoveAll(pending => pending.Folder == step.Path);
                break;
        }
    }

    private void Change(params (string Path, Node? Node)[] changes)
    {
        string folder = FolderOf(changes[0].Path);
        changes.ShouldAllBe(change => FolderOf(change.Path) == folder, "a rename from folder to folder is not part of the model");
        if (changes.Any(change => change.Node is not null || _now.ContainsKey(change.Path)))
        {
            Pending pending = new(folder, changes);
            pending.ApplyTo(_now);
            _pending.Add(pending);
        }
    }

    private static string FolderOf(string path) => Path.GetDirectoryName(path) ?? "";

    private static DiskState StateOf(Dictionary<string, Node> names, Func<Node, Keep> keep) =>
        new(
            names
                .Where(name => IsReached(names, name.Key))
                .ToDictionary(name => name.Key, name => name.Value.IsFolder ? null : name.Value.Kept(keep(name.Value)))
        );

    private static bool IsReached(Dictionary<string, Node> names, string path) =>
        FolderOf(path) is var folder && (folder.Length == 0 || (names.ContainsKey(folder) && IsReached(names, folder)));

    private enum Keep
    {
        All,
        Synced,
        Half,
        Zeros,
    }

    private sealed class Node(bool isFolder)
    {
        public bool IsFolder => isFolder;

        public List<byte> Bytes { get; } = [];

        public int Synced { get; set; }

        public byte[] Kept(Keep keep) =>
            keep switch
            {
                Keep.All => [.. Bytes],
                Keep.Synced => [.. Bytes.Take(Synced)],
                Keep.Half => [.. Bytes.Take((Synced + Bytes.Count) / 2)],
                _ => [.. Bytes.Take(Synced), .. new byte[Bytes.Count - Synced]],
            };
    }

    private sealed record Pending(string Folder, (string Path, Node? Node)[] Changes)
    {
        public void ApplyTo(Dictionary<string, Node> names)
        {
            foreach ((string path, Node? node) in Changes)
            {
                if (node is null)
                {
                    names.Remove(path);
                }
                else
                {
                    names[path] = node;
                }
            }
        }
    }
}

/// <summary>Files (null: folders) by their paths.</summary>
internal sealed class DiskState(IReadOnlyDictionary<string, byte[]?> names)
{
    /// <summary>Equal for equal states.</summary>
    public string Signature =>
        string.Join(
            "\n",
            names
                .OrderBy(name => name.Key, StringComparer.Ordinal)
                .Select(name => name.Value is null ? $"{name.Key}/" : $"{name.Key} {ManifestFormat.HashOf(name.Value)}")
        );

    /// <summary>What is below a folder.</summary>
    public static DiskState Of(string root) =>
        new(
            Directory
                .EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories)
                .ToDictionary(
                    path => Path.GetRelativePath(root, path),
                    path => Directory.Exists(path) ? null : File.ReadAllBytes(path),
                    StringComparer.Ordinal
                )
        );

    /// <summary>The steps that make it, durably.</summary>
    public IReadOnlyList<DiskStep> Steps()
    {
        List<DiskStep> steps = [];
        foreach ((string path, byte[]? bytes) in names.OrderBy(name => name.Key, StringComparer.Ordinal))
        {
            steps.AddRange(
                bytes is null
                    ? [new DiskStep(DiskAction.MakeFolder, path)]
                    :
                    [
                        new DiskStep(DiskAction.Create, path),
                        new DiskStep(DiskAction.Append, path, Bytes: bytes),
                        new DiskStep(DiskAction.Sync, path),
                    ]
            );
        }

        return
        [
            .. steps,
            new DiskStep(DiskAction.SyncFolder, ""),
            .. names.Where(name => name.Value is null).Select(name => new DiskStep(DiskAction.SyncFolder, name.Key)),
        ];
    }

    /// <summary>Writes it below an empty folder.</summary>
    public void WriteTo(string root)
    {
        foreach ((string path, byte[]? bytes) in names.OrderBy(name => name.Key, StringComparer.Ordinal))
        {
            string full = Path.Combine(root, path);
            if (bytes is null)
            {
                Directory.CreateDirectory(full);
            }
            else
            {
                File.WriteAllBytes(full, bytes);
            }
        }
    }
}
