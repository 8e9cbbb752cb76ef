using System.Text;
using ActorTrainer.Checkpoints.Outputs;
using ActorTrainer.Client;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Testing.Api;

namespace ActorTrainer.Runtime.Tests.Api;

/// <summary>Output in the store, of nodes that are gone and beside what a node still has.</summary>
public sealed class StoredOutputTests : IAsyncLifetime
{
    private static readonly DateTimeOffset At = new(2026, 11, 30, 12, 3, 10, TimeSpan.Zero);
    private static readonly NodeAddress Gone = new("127.0.0.1", 1);

    private readonly string _folder = Directory.CreateTempSubdirectory("actortrainer-output").FullName;
    private readonly FakeNode _node = SampleCluster.Create();
    private readonly List<string> _said = [];
    private readonly FolderOutputs _outputs;
    private ApiServer _server = null!;
    private ActorTrainerClient _client = null!;
    private TaskId _task;

    public StoredOutputTests() => _outputs = new FolderOutputs(new CheckpointStoreModel { Path = Store });

    private string Store => Path.Combine(_folder, "store");

    public async ValueTask InitializeAsync()
    {
        _server = await ApiServer.StartAsync(_node, new ApiOptions { Outputs = _outputs });
        ClusterMember self = new(4, _server.Address, "alpha", [], 2, MemberStatus.Up, false, 1, "1") { State = MemberState.Up };
        _node.View = _node.View with { Members = [self] };
        _client = new ActorTrainerClient(new ActorTrainerClientOptions { Nodes = [_server.Address] });
        _task = (await _node.ListTasksAsync(new TaskFilter(Name: "digits-a")))[0].Summary.Task;
        _node.Change("digits-a", summary => summary with { Runs = 0 });
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Logs_NodeIsGone_ShowsWhatIsStoredAndSaysWhatIsLost()
    {
        Keep(1, Gone, 0, "one\n");
        Keep(2, _server.Address, 0, "two\n", complete: true);

        (await ReadAsync()).ShouldBe("one\ntwo\n");

        string lost = _said.ShouldHaveSingleItem();
        lost.ShouldContain("run 1");
        lost.ShouldContain("after 2026-11-30 12:03:10 UTC");
        lost.ShouldContain("node 127.0.0.1:1, which is not in the cluster");
    }

    [Fact]
    public async Task Logs_NodeIsGoneAndRunIsComplete_SaysNothing()
    {
        Keep(1, Gone, 0, "one\n", complete: true);

        (await ReadAsync()).ShouldBe("one\n");

        _said.ShouldBeEmpty();
    }

    [Fact]
    public async Task Logs_NothingOfARunIsKept_SaysWhereItWas()
    {
        _node.Change("digits-a", summary => summary with { Runs = 1 });
        _node.Events[_task] = [new EventRow(_task, 1, 7, At, new TaskStarted(1, 3, Gone, 4711, null, 0))];

        (await ReadAsync()).ShouldBe("");

        _said.ShouldHaveSingleItem().ShouldStartWith("the output of run 1 is missing: it was on node 127.0.0.1:1");
    }

    [Fact]
    public async Task Logs_NodeHasTheEndAndTheStoreTheBeginning_AreOne()
    {
        Keep(1, _server.Address, 0, "the beginning\n");
        Keep(1, _server.Address, 14, "in the store and on the node\n");
        string file = Path.Combine(_folder, "output-2-14.log");
        await File.WriteAllTextAsync(file, "in the store and on the node\nthe end\n");
        _node.AddOutput(new OutputFile(7, 1, file) { Start = 14 });

        (await ReadAsync()).ShouldBe("the beginning\nin the store and on the node\nthe end\n");

        _said.ShouldBeEmpty();
        (await _client.ListRunsAsync("digits-a")).Runs.ShouldHaveSingleItem().Bytes.ShouldBe(51);
    }

    [Fact]
    public async Task Logs_MiddleIsNotKept_SaysSoAtItsPlace()
    {
        Keep(1, _server.Address, 0, "the beginning\n");
        string file = Path.Combine(_folder, "output-2-100.log");
        await File.WriteAllTextAsync(file, "the end\n");
        _node.AddOutput(new OutputFile(7, 1, file) { Start = 100 });

        (await ReadAsync()).ShouldBe("the beginning\nthe end\n");

        _said.ShouldBe(["bytes 14 to 100 of the output of run 1 are not kept: it printed more than worker.log-max-size"]);
        using HttpClient http = new();
        string text = await http.GetStringAsync($"http://{_server.Address}/v1/tasks/digits-a/logs");
        text.ShouldBe($"the beginning\n[{_said[0]}]\nthe end\n");
    }

    [Theory]
    [InlineData(0, "two\nthree\n", "bytes 0 to 4")]
    [InlineData(1, "one\nthree\n", "bytes 4 to 8")]
    [InlineData(2, "one\ntwo\n", "bytes 8 to 14")]
    public async Task Logs_APieceIsDamaged_SaysWhichAndShowsTheOthers(int damaged, string shown, string place)
    {
        Keep(1, Gone, 0, "one\n");
        Keep(1, Gone, 4, "two\n");
        Keep(1, Gone, 8, "three\n", complete: true);
        string path = Directory.GetFiles(Store, "*.gz", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ElementAt(damaged);
        await File.WriteAllTextAsync(path, "rubbish");

        (await ReadAsync()).ShouldBe(shown);

        string said = _said.ShouldHaveSingleItem();
        said.ShouldStartWith(place);
        said.ShouldContain(path);
    }

    [Fact]
    public async Task Logs_StoreCannotBeRead_SaysSoAndShowsWhatNodesHave()
    {
        Directory.CreateDirectory(Path.Combine(Store, "output"));
        await File.WriteAllTextAsync(Path.Combine(Store, "output", _task.Value), "in the way");
        string file = Path.Combine(_folder, "output.log");
        await File.WriteAllTextAsync(file, "on the node\n");
        _node.AddOutput(new OutputFile(7, 1, file) { Start = 0 });

        (await ReadAsync()).ShouldBe("on the node\n");
    }

    [Fact]
    public async Task Follow_NodeIsLost_GoesOnAndSaysWhatIsLost()
    {
        Keep(1, Gone, 0, "one\n");
        Keep(2, Gone, 0, "two\n", complete: true);
        _node.Change("digits-a", summary => summary with { Status = Core.Tasks.TaskStatus.Completed });

        (await ReadAsync(follow: true)).ShouldBe("one\ntwo\n");

        _said.ShouldHaveSingleItem().ShouldContain("what run 1 printed after");
    }

    [Fact]
    public async Task Logs_RunByOffset_SaysWhereTheAnswerBegins()
    {
        Keep(1, Gone, 4, "two\n", complete: true);
        using HttpClient http = new();

        HttpResponseMessage answer = await http.GetAsync(
            $"http://{_server.Address}/v1/tasks/digits-a/logs?node={Gone}&term=7&run=1&offset=1"
        );

        (await answer.Content.ReadAsStringAsync()).ShouldBe("two\n");
        answer.Headers.GetValues("ActorTrainer-Offset").ShouldBe(["4"]);
        Uri.UnescapeDataString(answer.Headers.GetValues("ActorTrainer-Missing").Single()).ShouldStartWith("bytes 1 to 4");
    }

    private void Keep(int run, NodeAddress node, long start, string text, bool complete = false)
    {
        OutputKey key = new(_task, 7, run, node);
        byte[] content = Encoding.UTF8.GetBytes(text);
        OutputSegment segment = new(start, start + content.Length, At);
        _outputs.Write(key, segment, content, replaced: null, mayCreateStore: true);
        if (complete)
        {
            _outputs.Complete(key, segment.End, [segment], mayCreateStore: false);
        }
    }

    private async Task<string> ReadAsync(bool follow = false)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30), TimeProvider.System);
        using MemoryStream target = new();
        await _client.CopyOutputAsync("digits-a", target, follow, _said.Add, limit.Token);
        return Encoding.UTF8.GetString(target.ToArray());
    }
}
