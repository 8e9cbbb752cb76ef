namespace ActorTrainer.Checkpoints.Tests.Faults;

/// <summary>The real disk, with a test's hand in before every step. Paths are as the store gives them.</summary>
internal sealed class HookedDisk(Action<DiskStep> before) : IDisk
{
    public IDiskFile Create(string path, long expected = 0)
    {
        before(new DiskStep(DiskAction.Create, path));
        return new HookedFile(before, path, RealDisk.Instance.Create(path, expected));
    }

    public void Rename(string from, string to, bool overwrite)
    {
        before(new DiskStep(DiskAction.Rename, from, to));
        RealDisk.Instance.Rename(from, to, overwrite);
    }

    public bool TryLink(string existing, string name)
    {
        before(new DiskStep(DiskAction.Link, existing, name));
        return RealDisk.Instance.TryLink(existing, name);
    }

    public void Unlink(string path)
    {
        before(new DiskStep(DiskAction.Unlink, path));
        RealDisk.Instance.Unlink(path);
    }

    public void MakeFolder(string path)
    {
        before(new DiskStep(DiskAction.MakeFolder, path));
        RealDisk.Instance.MakeFolder(path);
    }

    public void SyncFolder(string path)
    {
        before(new DiskStep(DiskAction.SyncFolder, path));
        RealDisk.Instance.SyncFolder(path);
    }

    private sealed class HookedFile(Action<DiskStep> before, string path, IDiskFile file) : IDiskFile
    {
        public long Length => file.Length;

        public void Append(ReadOnlySpan<byte> bytes)
        {
            before(new DiskStep(DiskAction.Append, path));
            file.Append(bytes);
        }

        public void Sync()
        {
            before(new DiskStep(DiskAction.Sync, path));
            file.Sync();
        }

        public void Dispose() => file.Dispose();
    }
}
