using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests.Bundles;

/// <summary>A folder to be bundled, and a store beside it.</summary>
internal sealed class BundleFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public BundleFolder() => Directory.CreateDirectory(Path);

    public static TaskSpec Task { get; } = new() { Name = "a", Command = ["true"] };

    public string Path => _folder["code"];

    public string Store => _folder["store"];

    public string Target => _folder["target"];

    public string this[string relative] => System.IO.Path.Combine(Path, relative);

    public string Outside(string name) => _folder[name];

    public FolderBundles Open(BundleLimits? limits = null) =>
        new(new CheckpointStoreModel { Path = Store }, TimeProvider.System, limits ?? BundleLimits.Default);

    public void Write(string path, string text = "x")
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(this[path])!);
        File.WriteAllText(this[path], text);
    }

    public BundleListing Read(TaskSpec? task = null, long limit = BundleSpec.DefaultLimitBytes) =>
        BundleListing.Read(new BundleSource(Path, limit), task ?? Task);

    public static async Task<byte[]> PackAsync(BundleListing listing)
    {
        using MemoryStream archive = new();
        await listing.WriteAsync(archive);
        return archive.ToArray();
    }

    public void Dispose() => _folder.Dispose();
}
