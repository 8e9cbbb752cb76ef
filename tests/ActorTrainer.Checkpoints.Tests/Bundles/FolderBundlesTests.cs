using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.Versioning;
using System.Text;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Tests.Bundles;

[UnsupportedOSPlatform("windows")]
[Collection(MeasuresMemory.Name)]
public sealed class FolderBundlesTests : IDisposable
{
    private static readonly CancellationToken Never = CancellationToken.None;
    private static readonly string Hash = new('a', 64);
    private static readonly BundleLimits Small = new(1 << 20, 10);

    private readonly BundleFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Unpack_WhatWasPut_EqualsTheSource()
    {
        string longName = $"{new string('d', 120)}/{new string('ä', 90)}";
        _folder.Write("train.py", "print('ü')");
        _folder.Write("empty", "");
        _folder.Write(longName, "deep");
        _folder.Write("bin/run.sh", "#!/bin/sh\n");
        File.SetUnixFileMode(_folder["bin/run.sh"], (UnixFileMode)0b111_000_000);
        File.WriteAllBytes(_folder["weights"], [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * i >> 3))]);
        File.CreateSymbolicLink(_folder["bin/latest"], "../weights");
        File.CreateSymbolicLink(_folder["folder"], "bin");
        BundleListing listing = _folder.Read();
        FolderBundles store = _folder.Open();
        store.Has(listing.Bundle.Hash).ShouldBeFalse();

        BundleSpec put = await store.PutAsync(listing.Bundle.Hash, new MemoryStream(await BundleFolder.PackAsync(listing)), Never);
        await store.UnpackAsync(listing.Bundle.Hash, _folder.Target, Never);

        put.ShouldBe(listing.Bundle);
        store.Has(listing.Bundle.Hash).ShouldBeTrue();
        IReadOnlyList<string> source = Describe(_folder.Path);
        Describe(_folder.Target).ShouldBe(source);
        source.ShouldContain("bin/run.sh executable 10");
        source.ShouldContain("bin/latest -> ../weights");
        Directory.GetFiles(Path.Combine(_folder.Store, "bundles")).Length.ShouldBe(1);
    }

    [Fact]
    public async Task Put_FileChangedAfterItWasHashed_IsRefusedAndNothingIsKept()
    {
        _folder.Write("train.py", "print(1)");
        BundleListing listing = _folder.Read();
        _folder.Write("train.py", "print(2)");
        byte[] archive = await BundleFolder.PackAsync(listing);

        BundleException refused = await Should.ThrowAsync<BundleException>(() => PutAsync(listing.Bundle.Hash, archive));

        refused.Message.ShouldContain("a file was changed while it was read");
        ShouldBeEmpty();
    }

    public static TheoryData<string, Func<TarEntry[]>, string> Hostile =>
        new()
        {
            { "absolute path", () => [File_("/etc/passwd")], "'/etc/passwd' is no path below a folder" },
            { "way out", () => [File_("../x")], "'../x' is no path below a folder" },
            { "way out inside", () => [File_("a/../../x")], "is no path below a folder" },
            { "absolute link", () => [Link("a", "/etc")], "'a' is a link to '/etc', out of the bundle" },
            { "link out", () => [Link("a", "../x")], "out of the bundle" },
            { "link out by a detour", () => [Link("a", "b/../../x")], "out of the bundle" },
            { "file behind a link", () => [Link("a", "."), File_("a/x")], "'a/x' stands behind 'a'" },
            { "file behind a file", () => [File_("a"), File_("a/x")], "'a/x' stands behind 'a'" },
            { "twice", () => [File_("a"), File_("a")], "a bundle has each path once" },
            { "unsorted", () => [File_("b"), File_("a")], "a bundle has each path once" },
            { "hard link", () => [new PaxTarEntry(TarEntryType.HardLink, "a") { LinkName = "/etc/passwd" }], "is a HardLink" },
            { "device", () => [new PaxTarEntry(TarEntryType.CharacterDevice, "null")], "is a CharacterDevice" },
            { "pipe", () => [new PaxTarEntry(TarEntryType.Fifo, "pipe")], "is a Fifo" },
            { "folder", () => [new PaxTarEntry(TarEntryType.Directory, "a/")], "is a Directory" },
            { "too many", () => [.. Enumerable.Range(10, 11).Select(i => File_($"f{i}"))], "more than 10 files" },
            { "too large", () => [File_("zeros", new byte[(1 << 20) + 1])], "unpacks to more than 1.0 MiB" },
            { "header as large as memory", () => [Named(new string('n', 100_000))], "a header of" },
            { "other content", () => [File_("a")], "The archive's content has the hash" },
        };

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task Put_HostileArchive_IsRefusedAndNothingIsKept(string _, Func<TarEntry[]> entries, string says)
    {
        BundleException refused = await Should.ThrowAsync<BundleException>(() => PutAsync(Hash, Archive(entries())));

        refused.Message.ShouldContain(says);
        ShouldBeEmpty();
    }

    [Fact]
    public async Task Put_Bomb_IsRefusedBeforeItIsUnpacked()
    {
        byte[] bomb = Archive([File_("zeros", new byte[64 << 20])]);
        bomb.Length.ShouldBeLessThan(1 << 20);
        long before = GC.GetTotalAllocatedBytes();

        BundleException refused = await Should.ThrowAsync<BundleException>(() => PutAsync(Hash, bomb));

        refused.TooLarge.ShouldBeTrue();
        (GC.GetTotalAllocatedBytes() - before).ShouldBeLessThan(16 << 20);
        ShouldBeEmpty();
    }

    [Fact]
    public async Task Put_EndlessBody_IsRefusedAtTheLimit()
    {
        Endless body = new();

        BundleException refused = await Should.ThrowAsync<BundleException>(() => _folder.Open(Small).PutAsync(Hash, body, Never));

        refused.TooLarge.ShouldBeTrue();
        body.Given.ShouldBeLessThan(4 << 20);
        ShouldBeEmpty();
    }

    [Fact]
    public async Task Put_EntryWithTwoSizes_IsRefused()
    {
        // The writer of the platform would not write it.
        PaxTarEntry entry = new(TarEntryType.RegularFile, "a", new Dictionary<string, string> { ["SIZE"] = "0" });
        byte[] tar = Encoding.Latin1.GetBytes(
            Encoding.Latin1.GetString(Tar([entry])).Replace(" SIZE=", " size=", StringComparison.Ordinal)
        );

        BundleException refused = await Should.ThrowAsync<BundleException>(() => PutAsync(Hash, Packed(tar)));

        refused.Message.ShouldContain("two sizes");
    }

    [Fact]
    public async Task Put_GarbageOrHalfAnArchive_IsDamaged()
    {
        byte[] whole = Archive([File_("a", new byte[5000]), File_("b", Encoding.UTF8.GetBytes(new string('x', 5000)))]);
        foreach (
            byte[] archive in (byte[][])
                [
                    [1, 2, 3],
                    whole[..(whole.Length / 2)],
                    Packed([.. new byte[512].Select(_ => (byte)7)]),
                ]
        )
        {
            await Should.ThrowAsync<BundleException>(() => PutAsync(Hash, archive));
        }

        ShouldBeEmpty();
    }

    [Fact]
    public async Task Unpack_DamagedOrMissing_SaysWhichFileAndWhatToDo()
    {
        _folder.Write("train.py");
        BundleListing listing = _folder.Read();
        await PutAsync(listing.Bundle.Hash, await BundleFolder.PackAsync(listing));
        string path = Path.Combine(_folder.Store, "bundles", listing.Bundle.Hash + ".tar.gz");
        File.WriteAllBytes(path, Archive([File_("train.py", "other"u8.ToArray())]));

        (await Should.ThrowAsync<BundleException>(() => UnpackAsync(listing))).Message.ShouldContain($"Remove {path}");
        File.Delete(path);
        (await Should.ThrowAsync<BundleException>(() => UnpackAsync(listing))).Message.ShouldContain("not in the store any more");
        Directory.Delete(_folder.Store, recursive: true);
        (await Should.ThrowAsync<CheckpointStoreException>(() => UnpackAsync(listing))).Message.ShouldContain("is away");
    }

    [Fact]
    public async Task Put_FileLeftBehindByANodeThatDied_GoesAfterADay()
    {
        _folder.Write("train.py");
        BundleListing listing = _folder.Read();
        byte[] archive = await BundleFolder.PackAsync(listing);
        await PutAsync(listing.Bundle.Hash, archive);
        string old = Path.Combine(_folder.Store, "bundles", $"{Hash}.tar.gz.x.tmp");
        string fresh = Path.Combine(_folder.Store, "bundles", $"{Hash}.tar.gz.y.tmp");
        File.WriteAllText(old, "");
        File.WriteAllText(fresh, "");
        File.SetLastWriteTimeUtc(old, (TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(2)).UtcDateTime);

        await PutAsync(listing.Bundle.Hash, archive);

        File.Exists(old).ShouldBeFalse();
        File.Exists(fresh).ShouldBeTrue();
    }

    private Task<BundleSpec> PutAsync(string hash, byte[] archive) => _folder.Open(Small).PutAsync(hash, new MemoryStream(archive), Never);

    private Task UnpackAsync(BundleListing listing) =>
        _folder.Open().UnpackAsync(listing.Bundle.Hash, _folder.Outside(Path.GetRandomFileName()), Never);

    private void ShouldBeEmpty() => Directory.GetFiles(Path.Combine(_folder.Store, "bundles")).ShouldBeEmpty();

    private static List<string> Describe(string folder) =>
        [
            .. SourceTree
                .List(folder)
                .Select(file =>
                    file.Link is { } link ? $"{file.Path} -> {link}"
                    : BundleTree.IsExecutable(file.Status) ? $"{file.Path} executable {file.Length}"
                    : $"{file.Path} {Convert.ToHexString(File.ReadAllBytes(file.FullPath))}"
                ),
        ];

    private static PaxTarEntry File_(string path, byte[]? content = null) =>
        new(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(content ?? [1]) };

    private static PaxTarEntry Link(string path, string target) => new(TarEntryType.SymbolicLink, path) { LinkName = target };

    private static GnuTarEntry Named(string path) => new(TarEntryType.RegularFile, path);

    private static byte[] Archive(TarEntry[] entries) => Packed(Tar(entries));

    private static byte[] Tar(TarEntry[] entries)
    {
        using MemoryStream tar = new();
        using (TarWriter writer = new(tar, leaveOpen: true))
        {
            foreach (TarEntry entry in entries)
            {
                writer.WriteEntry(entry);
            }
        }

        return tar.ToArray();
    }

    private static byte[] Packed(byte[] tar)
    {
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(tar);
        }

        return packed.ToArray();
    }

    /// <summary>A body that goes on for ever.</summary>
    private sealed class Endless : MemoryStream
    {
        public long Given { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Given += buffer.Length;
            return ValueTask.FromResult(buffer.Length);
        }
    }
}
