using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Checkpoints.Tests;

public sealed class FolderStorePropertyTests
{
    [Fact]
    public void SaveRestore_RandomTreesThatChange_GiveTheSameBytes()
    {
        using SaveFixture fixture = new();
        FolderStore store = fixture.Open();
        CheckpointRef? before = null;
        Prop.ForAll(
                Gen.Choose(0, int.MaxValue).ToArbitrary(),
                seed =>
                {
                    Dictionary<string, byte[]> files = Tree(new DeterministicRandom((ulong)seed));
                    DiskFolder.Write(fixture.Folder["source"], files);
                    SaveRequest request = fixture.Request(fixture.NewName(), before is null ? [] : [before]);
                    before = store.SaveAsync(request, CancellationToken.None).GetAwaiter().GetResult();
                    store.RestoreAsync(fixture.Task, before, fixture.Folder["restored"], CancellationToken.None).GetAwaiter().GetResult();
                    IReadOnlyDictionary<string, byte[]> restored = DiskFolder.Read(fixture.Folder["restored"]);
                    return restored.Count == files.Count && files.All(file => restored[file.Key].AsSpan().SequenceEqual(file.Value));
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    // Lengths around chunk borders, folders of several depths, contents that repeat and contents that do not.
    private static Dictionary<string, byte[]> Tree(DeterministicRandom random)
    {
        Dictionary<string, byte[]> files = new(StringComparer.Ordinal);
        int count = random.Next(8);
        for (int i = 0; i < count; i++)
        {
            string path = string.Concat(Enumerable.Range(0, random.Next(3)).Select(_ => $"d{random.Next(3)}/")) + $"f{i}";
            int length = Math.Max(0, (random.Next(6) * SaveFixture.ChunkSize) + random.Next(5) - 2);
            byte[] bytes = new byte[length];
            int modulus = 1 + random.Next(256);
            for (int at = 0; at < length; at++)
            {
                bytes[at] = (byte)random.Next(modulus);
            }

            files.Add(path, bytes);
        }

        return files;
    }
}
