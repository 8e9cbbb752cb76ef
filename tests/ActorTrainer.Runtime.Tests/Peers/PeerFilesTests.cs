using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Peers;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Runtime.Tests.Peers;

public sealed class PeerFilesTests : IAsyncDisposable
{
    private static readonly TaskId Task = PeerRing.Task;

    private readonly TemporaryFolder _folder = new();
    private readonly PeerRing _ring;
    private readonly TieredStore _store;

    public PeerFilesTests()
    {
        _ring = new PeerRing(_folder, nodes: 3);
        _store = _ring.Open(_folder["own"]);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _ring.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Drain_AfterASave_OneOtherNodeHasTheSameFiles()
    {
        CheckpointRef saved = await SaveAsync(_store);
        await _store.DrainAsync(CancellationToken.None);
        _store.Backlog.ShouldBe(0);
        foreach (string file in FilesOf(saved))
        {
            NodeAddress holder = _ring.HoldersOf(Task, file).ShouldHaveSingleItem();
            File.ReadAllBytes(Path.Combine(_ring.FolderOf(holder), Task.Value, file))
                .ShouldBe(File.ReadAllBytes(Path.Combine(_folder["own"], Task.Value, file)));
        }
    }

    [Fact]
    public async Task Restore_OwnDiskGone_TakesTheCopyAndFillsTheFolderAgain()
    {
        CheckpointRef saved = await SaveAsync(_store);
        await _store.DrainAsync(CancellationToken.None);

        await using TieredStore other = _ring.Open(_folder["elsewhere"]);
        await other.RestoreAsync(Task, saved, _folder["restored"], CancellationToken.None);
        DiskFolder.Read(_folder["restored"])["a"].ShouldBe(DiskFolder.Read(_folder["source"])["a"]);
        await other.DrainAsync(CancellationToken.None);
        foreach (string file in FilesOf(saved))
        {
            File.Exists(Path.Combine(_folder["elsewhere"], Task.Value, file)).ShouldBeTrue(file);
        }
    }

    /// <summary>A node that keeps a task's copies and takes the task over has all of it in its own folder.</summary>
    [Fact]
    public async Task Restore_AtTheNodeThatHasTheCopy_AsksNobody()
    {
        CheckpointRef saved = await SaveAsync(_store);
        await _store.DrainAsync(CancellationToken.None);
        NodeAddress holder = _ring.HoldersOf(Task, saved.Packs[0]).ShouldHaveSingleItem();
        FolderStore there = new(PeerRing.Model(_ring.FolderOf(holder)), TimeProvider.System);
        (await there.VerifyAsync(Task, saved, CancellationToken.None)).ShouldBePositive();
    }

    [Fact]
    public async Task Verify_NobodyAnswers_IsAwayAndNotDamaged()
    {
        CheckpointRef saved = await SaveAsync(_store);
        await _store.DrainAsync(CancellationToken.None);
        NodeAddress holder = _ring.HoldersOf(Task, saved.Packs[0]).ShouldHaveSingleItem();
        await _ring.StopAsync(holder);

        await Should.ThrowAsync<CheckpointStoreException>(() => _ring.Store.VerifyAsync(Task, saved, CancellationToken.None));
        _ring.Known.Living.Remove(holder);
        _ring.Known.Missing.Add(holder);
        (
            await Should.ThrowAsync<CheckpointStoreException>(() => _ring.Store.VerifyAsync(Task, saved, CancellationToken.None))
        ).Message.ShouldContain($"{holder} is gone only since a short time");

        _ring.Known.Missing.Clear();
        await Should.ThrowAsync<CheckpointDamagedException>(() => _ring.Store.VerifyAsync(Task, saved, CancellationToken.None));
        _ring.Known.IsJoined = false;
        await Should.ThrowAsync<CheckpointStoreException>(() => _ring.Store.VerifyAsync(Task, saved, CancellationToken.None));
    }

    [Fact]
    public async Task Verify_FolderOfTheHolderIsNotMounted_IsAwayAndNotDamaged()
    {
        CheckpointRef saved = await SaveAsync(_store);
        await _store.DrainAsync(CancellationToken.None);
        string folder = _ring.FolderOf(_ring.HoldersOf(Task, saved.Packs[0]).ShouldHaveSingleItem());
        Directory.Move(folder, folder + "-unmounted");
        Directory.CreateDirectory(folder);
        await Should.ThrowAsync<CheckpointStoreException>(() => _ring.Store.VerifyAsync(Task, saved, CancellationToken.None));
    }

    [Fact]
    public async Task Verify_WrongToken_IsAwayAndNotDamagedAndNothingIsWritten()
    {
        CheckpointRef saved = await SaveAsync(_store);
        await _store.DrainAsync(CancellationToken.None);
        await using PeerRing stranger = new(_folder, nodes: 0, token: "another");
        stranger.Known.Living.AddRange(_ring.Known.Living);
        (
            await Should.ThrowAsync<CheckpointStoreException>(() => stranger.Store.VerifyAsync(Task, saved, CancellationToken.None))
        ).Message.ShouldContain("401");

        await using TieredStore other = stranger.Open(_folder["stranger"]);
        CheckpointRef second = await SaveAsync(other);
        await Should.ThrowAsync<CheckpointStoreException>(() => other.DrainAsync(CancellationToken.None));
        other.Backlog.ShouldBe(1);
        _ring.HoldersOf(Task, CheckpointNames.ManifestFile(second.Name)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Verify_SomethingElseListensThere_IsAwayAndNotDamaged()
    {
        CheckpointRef saved = await SaveAsync(_store);
        using HttpListener listener = new();
        NodeAddress other = Testing.Processes.LocalCluster.FreeAddress();
        listener.Prefixes.Add($"http://{other}/");
        listener.Start();
        Task answering = System.Threading.Tasks.Task.Run(async () =>
        {
            HttpListenerContext asked = await listener.GetContextAsync();
            asked.Response.StatusCode = 404;
            asked.Response.Close();
        });
        _ring.Known.Living.Clear();
        _ring.Known.Living.Add(other);
        await Should.ThrowAsync<CheckpointStoreException>(() => _ring.Store.VerifyAsync(Task, saved, CancellationToken.None));
        await answering;
    }

    [Fact]
    public async Task Drain_HolderDiesWhileItReceives_TheNextOneGetsIt()
    {
        CheckpointRef saved = await SaveAsync(_store, bytes: 3 << 20);
        NodeAddress first = PeerOrder.Of(Task.Value, _ring.Known.Self, _ring.Known.Living)[0];
        await _ring.StopAsync(first);
        using TcpListener dying = new(IPAddress.Loopback, first.Port);
        dying.Start();
        Task<int> received = System.Threading.Tasks.Task.Run(() => ReceiveSomeAsync(dying));

        await Should.ThrowAsync<CheckpointStoreException>(() => _store.DrainAsync(CancellationToken.None));
        (await received).ShouldBePositive();
        _store.Backlog.ShouldBe(1);
        await _store.DrainAsync(CancellationToken.None);
        _store.Backlog.ShouldBe(0);
        NodeAddress holder = _ring
            .Known.Living.Where(node => node != first)
            .Where(node => File.Exists(Path.Combine(_ring.FolderOf(node), Task.Value, CheckpointNames.ManifestFile(saved.Name))))
            .ShouldHaveSingleItem();
        FolderStore there = new(PeerRing.Model(_ring.FolderOf(holder)), TimeProvider.System);
        (await there.VerifyAsync(Task, saved, CancellationToken.None)).ShouldBePositive();
    }

    [Fact]
    public async Task Unlink_OfWhatWasCopied_RemovesTheCopyToo()
    {
        CheckpointRef saved = await SaveAsync(_store);
        await _store.DrainAsync(CancellationToken.None);
        await _store.UnlinkAsync(Task, FilesOf(saved), CancellationToken.None);
        await _store.DrainAsync(CancellationToken.None);
        _ring.HoldersOf(Task, saved.Packs[0]).ShouldBeEmpty();
        (await _store.ListFilesAsync(Task, CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Drain_NoOtherNode_StaysInTheBacklogUntilThereIsOne()
    {
        NodeAddress[] all = [.. _ring.Known.Living];
        _ring.Known.Living.Clear();
        CheckpointRef saved = await SaveAsync(_store);
        (await Should.ThrowAsync<CheckpointStoreException>(() => _store.DrainAsync(CancellationToken.None))).Message.ShouldContain(
            "There is no other node"
        );
        _store.Backlog.ShouldBe(1);
        _ring.Known.Living.AddRange(all);
        await _store.DrainAsync(CancellationToken.None);
        _ring.HoldersOf(Task, saved.Packs[0]).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("flip")]
    [InlineData("short")]
    [InlineData("long")]
    [InlineData("no trailer")]
    public async Task Put_OtherBytesThanWereSent_LeavesNothing(string damage)
    {
        byte[] content = RandomNumberGenerator.GetBytes(3000);
        byte[] body = [.. content, .. BitConverter.GetBytes((long)content.Length), .. SHA256.HashData(content)];
        body = damage switch
        {
            "flip" => [(byte)(body[0] ^ 1), .. body[1..]],
            "short" => body[1..],
            "long" => [1, .. body],
            _ => body[..20],
        };
        using HttpResponseMessage response = await PutAsync($"/{Task}/packs/c-1-1-aaaa.pack?atMost=3000", body);
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        ShouldHoldNothing();
        using HttpResponseMessage whole = await PutAsync(
            $"/{Task}/packs/c-1-1-aaaa.pack?atMost=3000",
            [.. content, .. BitConverter.GetBytes((long)content.Length), .. SHA256.HashData(content)]
        );
        whole.StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Put_ConnectionBreaksInTheMiddle_LeavesNothing()
    {
        NodeAddress node = _ring.Known.Living[0];
        using (TcpClient client = new())
        {
            await client.ConnectAsync(node.Host, node.Port);
            string head =
                $"PUT /v1/peers/{Task}/packs/c-1-1-aaaa.pack?atMost=100000 HTTP/1.1\r\nHost: {node}\r\n"
                + $"Authorization: Bearer {PeerRing.Token}\r\nTransfer-Encoding: chunked\r\n\r\n4000\r\n";
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head));
            await client.GetStream().WriteAsync(new byte[0x4000]);
            await UntilAsync(() => Directory.Exists(Arrivals(node)) && Directory.GetFiles(Arrivals(node)).Length == 1);
        }

        await UntilAsync(() => Directory.GetFiles(Arrivals(node)).Length == 0);
        ShouldHoldNothing();
    }

    [Theory]
    [InlineData("/peers-x1/packs/..%2F..%2Fx.pack")]
    [InlineData("/peers-x1/packs/x.pack")]
    [InlineData("/peers-x1/output/c-1-1-aaaa.pack")]
    [InlineData("/peers-x1/packs/c-1-1-aaaa.json")]
    [InlineData("/peers-x1/manifests/c-1-1-aaaa.json.tmp")]
    [InlineData("/..%2Fbundles/packs/c-1-1-aaaa.pack")]
    public async Task Put_NameOfNoStoreFile_IsRefused(string path)
    {
        using HttpResponseMessage response = await PutAsync(path + "?atMost=10", []);
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        ShouldHoldNothing();
    }

    [Theory]
    [InlineData("packs/c-1-1-aaaa.pack", "1000000000000000", HttpStatusCode.ServiceUnavailable)]
    [InlineData("manifests/c-1-1-aaaa.json", "1000000000000000", HttpStatusCode.RequestEntityTooLarge)]
    [InlineData("packs/c-1-1-aaaa.pack", "-1", HttpStatusCode.BadRequest)]
    public async Task Put_AbsurdSize_IsRefusedBeforeAByteComes(string file, string atMost, HttpStatusCode expected)
    {
        using HttpResponseMessage response = await PutAsync($"/{Task}/{file}?atMost={atMost}", new byte[50]);
        response.StatusCode.ShouldBe(expected);
        ShouldHoldNothing();
    }

    private static string[] FilesOf(CheckpointRef checkpoint) => [CheckpointNames.ManifestFile(checkpoint.Name), .. checkpoint.Packs];

    /// <summary>Takes requests as a node would, and dies in the middle of the first body.</summary>
    private static async Task<int> ReceiveSomeAsync(TcpListener listener)
    {
        while (true)
        {
            using TcpClient client = await listener.AcceptTcpClientAsync();
            NetworkStream stream = client.GetStream();
            byte[] buffer = new byte[100_000];
            while (await stream.ReadAsync(buffer) is > 0 and int head)
            {
                string request = Encoding.ASCII.GetString(buffer, 0, head);
                if (request.StartsWith("PUT", StringComparison.Ordinal))
                {
                    await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray());
                    return await stream.ReadAsync(buffer);
                }

                string absent =
                    $"HTTP/1.1 404 Not Found\r\n{PeerProtocol.AnswerHeader}: {PeerProtocol.Absent}\r\nContent-Length: 0\r\n\r\n";
                await stream.WriteAsync(Encoding.ASCII.GetBytes(absent));
            }
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30), TimeProvider.System);
        while (!condition())
        {
            await System.Threading.Tasks.Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, limit.Token);
        }
    }

    private string Arrivals(NodeAddress node) => Path.Combine(_ring.FolderOf(node), "arrivals");

    private void ShouldHoldNothing()
    {
        string[] files =
        [
            .. _ring
                .Known.Living.SelectMany(node => Directory.EnumerateFiles(_ring.FolderOf(node), "*", SearchOption.AllDirectories))
                .Where(path => Path.GetFileName(path) != "actortrainer-store.json"),
        ];
        files.ShouldBeEmpty();
    }

    private async Task<HttpResponseMessage> PutAsync(string path, byte[] body)
    {
        using ByteArrayContent content = new(body);
        return await _ring.Http.PutAsync(new Uri($"http://{_ring.Known.Living[0]}/v1/peers{path}"), content);
    }

    private Task<CheckpointRef> SaveAsync(TieredStore store, int bytes = 50_000) => _ring.SaveAsync(store, bytes);
}
