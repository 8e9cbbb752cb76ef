using System.Runtime.Versioning;
using ActorTrainer.Checkpoints.Codecs;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests;

/// <summary>States in memory of which little changes in every chunk: what is stored is the difference to the one before.</summary>
[SupportedOSPlatform("linux")]
public sealed class DifferenceTests : IDisposable
{
    private const int Chunks = 40;
    private const int Length = (Chunks * SaveFixture.ChunkSize) - 100;
    private const string File = "state.safetensors";

    private readonly SaveFixture _fixture = new();
    private readonly SharedMemory[] _areas = [SharedMemory.TryCreate()!, SharedMemory.TryCreate()!];
    private readonly List<byte[]> _states = [];
    private readonly FolderStore _store;
    private MemorySource? _former;

    public DifferenceTests()
    {
        _store = Open(_fixture.StoreFolder);
        _states.Add(_fixture.Noise(Length));
    }

    public void Dispose()
    {
        Array.ForEach(_areas, area => area.Dispose());
        _fixture.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(1000)]
    public void Apply_Twice_GivesTheChunkAgain(int length)
    {
        byte[] chunk = _fixture.Noise(length);
        byte[] other = _fixture.Noise(length);
        byte[] both = [.. chunk];

        Difference.Apply(both, other);

        both.ShouldBe([.. chunk.Zip(other, (a, b) => (byte)(a ^ b))]);
        Difference.Apply(both, other);
        both.ShouldBe(chunk);
    }

    [Fact]
    public async Task Save_ValuesHereAndThereChange_StoresWhatDiffers()
    {
        CheckpointRef first = await SaveAsync(_store);
        ChangeHereAndThere();
        CheckpointRef second = await SaveAsync(_store, first);

        second.StoredBytes.ShouldBeLessThan(first.StoredBytes / 3);
        second.Packs.ShouldBe([.. second.Packs.Intersect([CheckpointNames.PackFile(second.Name), first.Packs[0]])]);
        second.Packs.Count.ShouldBe(2);
        Read(second).Version.ShouldBe(4);
        Read(first).Version.ShouldBeLessThan(4);
        await ShouldBeAsync(first, 0);
        await ShouldBeAsync(second, 1);
        (await _store.VerifyAsync(_fixture.Task, second, CancellationToken.None)).ShouldBeGreaterThan(first.StoredBytes);
    }

    /// <summary>Each restore reads a few packs and no more, however many saves there were.</summary>
    [Fact]
    public async Task Save_ManyInARow_StandsOnFewBefore()
    {
        List<CheckpointRef> saved = [];
        for (int i = 0; i < 12; i++)
        {
            saved.Add(await SaveAsync(_store, [.. saved.AsEnumerable().Reverse().Take(3)]));
            ChangeHereAndThere();
        }

        int[] bases = [.. saved.Select(checkpoint => Read(checkpoint).Entries[0].Chunks.Max(chunk => chunk.Chain.Count() - 1))];
        bases.Take(6).ShouldBe([0, 1, 2, 3, ChunkPlace.MostBases, 0]);
        saved.ShouldAllBe(checkpoint => checkpoint.Packs.Count <= ChunkPlace.MostBases + 1);
        for (int i = 0; i < saved.Count; i++)
        {
            await ShouldBeAsync(saved[i], i);
        }
    }

    [Fact]
    public async Task Save_MemoryOfTheFormerStateIsWrittenMeanwhile_StoresTheChunksThemselves()
    {
        CheckpointRef first = await SaveAsync(_store);
        RandomAccess.Write(_areas[0].File, new byte[Length], 0);
        ChangeHereAndThere();
        CheckpointRef second = await SaveAsync(_store, first);

        Read(second).Entries[0].Chunks.ShouldAllBe(chunk => chunk.Base == null);
        await ShouldBeAsync(second, 1);
    }

    [Fact]
    public async Task Save_Full_StandsForItself()
    {
        CheckpointRef first = await SaveAsync(_store);
        ChangeHereAndThere();
        MemorySource source = Stage();
        CheckpointRef full = await _store.SaveAsync(Request(source, first) with { IsFull = true }, CancellationToken.None);

        full.Packs.ShouldHaveSingleItem();
        await ShouldBeAsync(full, 1);
    }

    [Fact]
    public async Task Save_PackOfTheFormerStateIsGone_StandsForItself()
    {
        CheckpointRef first = await SaveAsync(_store);
        StoreFolder.Damage(_fixture.StoreFolder, _fixture.Task, first.Packs[0], _ => null);
        ChangeHereAndThere();
        CheckpointRef second = await SaveAsync(_store, first);

        second.Packs.ShouldHaveSingleItem();
        await ShouldBeAsync(second, 1);
    }

    /// <summary>Wherever a bit flips, in what differs or in what it differs from, nothing else is restored than what was saved.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Restore_FlippedBitOfOnePack_IsFoundAndNamed(int pack)
    {
        CheckpointRef first = await SaveAsync(_store);
        ChangeHereAndThere();
        CheckpointRef second = await SaveAsync(_store, first);
        string file = pack == 0 ? first.Packs[0] : CheckpointNames.PackFile(second.Name);
        for (int i = 0; i < 40; i++)
        {
            int Place(byte[] bytes) => i * (bytes.Length - 1) / 39;
            StoreFolder.Damage(_fixture.StoreFolder, _fixture.Task, file, bytes => Flip(bytes, Place(bytes)));

            (
                await Should.ThrowAsync<CheckpointDamagedException>(() => _store.VerifyAsync(_fixture.Task, second, CancellationToken.None))
            ).Message.ShouldContain(file);

            StoreFolder.Damage(_fixture.StoreFolder, _fixture.Task, file, bytes => Flip(bytes, Place(bytes)));
        }

        await ShouldBeAsync(second, 1);
    }

    [Fact]
    public async Task Copy_ForAnotherTask_TakesWhatItStandsOnAlong()
    {
        CheckpointRef first = await SaveAsync(_store);
        ChangeHereAndThere();
        CheckpointRef second = await SaveAsync(_store, first);
        Core.Identity.TaskId other = Core.Identity.TaskId.Parse("other-x1");
        CheckpointRef copy = await _store.CopyAsync(_fixture.Task, second, other, _fixture.NewName(term: 0), CancellationToken.None);
        await _store.UnlinkAsync(_fixture.Task, await _store.ListFilesAsync(_fixture.Task, CancellationToken.None), CancellationToken.None);

        await _store.RestoreAsync(other, copy, _fixture.Folder["restored"], CancellationToken.None);

        DiskFolder.Read(_fixture.Folder["restored"])[File].ShouldBe(_states[1]);
    }

    /// <summary>What the folder lost is fetched, a pack behind those that are needed to read it, and none that is whole.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Fetch_OnePackIsLost_FetchesThatOne(int lost)
    {
        FolderStore remote = Open(_fixture.Folder["remote"]);
        await using TieredStore store = new(_store, remote, _fixture.Folder["sync"], interval: null, TimeProvider.System);
        store.Load();
        List<CheckpointRef> saved = [];
        for (int i = 0; i < 3; i++)
        {
            saved.Insert(0, await SaveAsync(store, [.. saved]));
            ChangeHereAndThere();
        }

        await store.DrainAsync(CancellationToken.None);
        (await remote.VerifyAsync(_fixture.Task, saved[0], CancellationToken.None)).ShouldBePositive();
        string[] packs = [.. saved.Select(checkpoint => CheckpointNames.PackFile(checkpoint.Name)).Reverse()];
        saved[0].Packs.ShouldBe(packs, ignoreOrder: true);
        StoreFolder.Damage(_fixture.StoreFolder, _fixture.Task, packs[lost], _ => null);
        foreach (string kept in packs.Where((_, i) => i != lost))
        {
            // Fetched, it would be another file.
            System.IO.File.SetLastWriteTimeUtc(Path.Combine(_fixture.StoreFolder, _fixture.Task.Value, kept), DateTime.UnixEpoch);
        }

        await store.VerifyAsync(_fixture.Task, saved[0], CancellationToken.None);
        await store.DrainAsync(CancellationToken.None);

        (await _store.VerifyAsync(_fixture.Task, saved[0], CancellationToken.None)).ShouldBePositive();
        packs
            .Where(pack =>
                System.IO.File.GetLastWriteTimeUtc(Path.Combine(_fixture.StoreFolder, _fixture.Task.Value, pack)) != DateTime.UnixEpoch
            )
            .ShouldBe([packs[lost]]);
    }

    [Theory]
    [InlineData("deep", "a difference to a difference, more than 4 times")]
    [InlineData("bottomless", "is not a manifest")]
    [InlineData("pack", "is described wrongly")]
    [InlineData("offset", "is described wrongly")]
    [InlineData("length", "is described wrongly")]
    [InlineData("codec", "is described wrongly")]
    [InlineData("name", "is described wrongly")]
    public async Task Restore_HostileBase_IsRefused(string what, string problem)
    {
        CheckpointRef saved = await SaveAsync(_store);
        Manifest manifest = Read(saved);
        ManifestEntry entry = manifest.Entries[0];
        byte[] bytes = ManifestFormat.Write(
            manifest with
            {
                Entries = [entry with { Chunks = [.. entry.Chunks.Select(chunk => Hostile(chunk, what))] }],
            }
        );
        await System.IO.File.WriteAllBytesAsync(PathOf(saved), bytes);

        (
            await Should.ThrowAsync<CheckpointDamagedException>(() =>
                _store.VerifyAsync(_fixture.Task, saved with { ManifestSha256 = ManifestFormat.HashOf(bytes) }, CancellationToken.None)
            )
        ).Message.ShouldContain(problem);
    }

    private static ManifestChunk Hostile(ManifestChunk chunk, string what) =>
        what switch
        {
            "deep" => Deeper(chunk, ChunkPlace.MostBases + 1),
            "bottomless" => Deeper(chunk, 62),
            "pack" => chunk with { Base = chunk with { Pack = 7 } },
            "offset" => chunk with { Base = chunk with { Offset = -1 } },
            "length" => chunk with { Base = chunk with { Stored = 1 << 30 } },
            "codec" => chunk with { Base = chunk with { Codec = "xz" } },
            _ => chunk with { Base = chunk with { Sha256 = "../../x" } },
        };

    private static ManifestChunk Deeper(ManifestChunk chunk, int times) =>
        times == 0 ? chunk : chunk with { Base = Deeper(chunk, times - 1) };

    private static byte[] Flip(byte[] bytes, int at)
    {
        bytes[at] ^= 4;
        return bytes;
    }

    /// <summary>Whatever was measured, it is worth the time.</summary>
    private static FolderStore Open(string folder) =>
        new(
            new CheckpointStoreModel
            {
                Path = folder,
                ChunkSizeBytes = SaveFixture.ChunkSize,
                Compression = CheckpointCompression.Max,
            },
            TimeProvider.System
        );

    private void ChangeHereAndThere()
    {
        byte[] next = [.. _states[^1]];
        for (int at = 60; at < next.Length; at += 400)
        {
            next[at] ^= (byte)(_states.Count + at);
            next[at + 1] ^= 0x55;
        }

        _states.Add(next);
    }

    /// <summary>The newest state in the area that the one before does not stand in.</summary>
    private MemorySource Stage()
    {
        SharedMemory area = _areas[(_states.Count - 1) % 2];
        RandomAccess.Write(area.File, _states[^1], 0);
        return new MemorySource(area.File, [new MemoryFile(File, [new MemoryExtent(0, Length)])], DateTimeOffset.UnixEpoch)
        {
            Former = _former,
        };
    }

    private SaveRequest Request(MemorySource source, params CheckpointRef[] listed) =>
        _fixture.Request(_fixture.NewName(), listed) with
        {
            Source = source,
        };

    private async Task<CheckpointRef> SaveAsync(ICheckpointStore store, params CheckpointRef[] listed)
    {
        MemorySource source = Stage();
        CheckpointRef saved = await store.SaveAsync(Request(source, listed), CancellationToken.None);
        source.Former = null;
        _former = source;
        return saved;
    }

    private string PathOf(CheckpointRef checkpoint) =>
        Path.Combine(_fixture.StoreFolder, _fixture.Task.Value, CheckpointNames.ManifestFile(checkpoint.Name));

    private Manifest Read(CheckpointRef checkpoint) =>
        ManifestFormat.Read(System.IO.File.ReadAllBytes(PathOf(checkpoint)), _fixture.Task, checkpoint, "manifest");

    private async Task ShouldBeAsync(CheckpointRef checkpoint, int state)
    {
        await _store.RestoreAsync(_fixture.Task, checkpoint, _fixture.Folder["restored"], CancellationToken.None);
        DiskFolder.Read(_fixture.Folder["restored"])[File].ShouldBe(_states[state]);
    }
}
