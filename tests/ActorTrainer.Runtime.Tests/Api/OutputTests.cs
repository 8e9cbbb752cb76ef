using System.Text;
using ActorTrainer.Client;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Testing.Api;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Runtime.Tests.Api;

/// <summary>Output of a task whose first run was on one node and whose second is on another.</summary>
public sealed class OutputTests : IAsyncLifetime
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("actortrainer-output").FullName;
    private readonly CancellationTokenSource _limit = new(Deadline, TimeProvider.System);
    private readonly FakeNode _a = SampleCluster.Create();
    private readonly FakeNode _b = SampleCluster.Create();
    private ApiServer _serverA = null!;
    private ApiServer _serverB = null!;
    private ActorTrainerClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _serverA = await ApiServer.StartAsync(_a);
        _serverB = await ApiServer.StartAsync(_b);
        ClusterMember[] members = [Member(4, _serverA.Address, "alpha"), Member(5, _serverB.Address, "beta")];
        _a.View = _a.View with { Members = members };
        _b.View = _b.View with { Self = 5, Members = members };
        _client = new ActorTrainerClient(new ActorTrainerClientOptions { Nodes = [_serverA.Address, _serverB.Address] });
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _serverA.DisposeAsync();
        await _serverB.DisposeAsync();
        _limit.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Logs_RunsOnTwoNodes_AreJoinedByTermAndRun()
    {
        Write(_a, 3, 2, "two\n");
        Write(_b, 1, 1, "one\n");
        Write(_b, 4, 3, "three\n");

        (await ReadAsync("digits-a", follow: false)).ShouldBe("one\ntwo\nthree\n");
    }

    [Fact]
    public async Task Logs_ThroughHttpWithoutRun_AreJoinedToo()
    {
        Write(_a, 3, 2, "two\n");
        Write(_b, 1, 1, "one\n");
        using HttpClient http = new();

        (await http.GetStringAsync($"http://{_serverA.Address}/v1/tasks/digits-a/logs")).ShouldBe("one\ntwo\n");
        (await http.GetStringAsync($"http://{_serverA.Address}/v1/tasks/digits-a/logs?local=true")).ShouldBe("two\n");
        (
            await http.GetStringAsync($"http://{_serverA.Address}/v1/tasks/digits-a/logs?node={_serverB.Address}&term=1&run=1&offset=2")
        ).ShouldBe("e\n");
    }

    [Fact]
    public async Task Logs_NoOutputYet_IsEmpty() => (await ReadAsync("digits-a", follow: false)).ShouldBe("");

    [Fact]
    public async Task Logs_RotatedPair_OlderFileComesFirst()
    {
        Write(_a, 1, 1, "old\n", "output");
        Write(_a, 1, 1, "new\n", "output-2");

        (await ReadAsync("digits-a", follow: false)).ShouldBe("old\nnew\n");
        using HttpClient http = new();
        (await http.GetStringAsync($"http://{_serverA.Address}/v1/tasks/digits-a/logs?term=1&run=1&offset=5")).ShouldBe("ew\n");
    }

    [Fact]
    public async Task Runs_OneMemberDown_NamesItAsUnreachable()
    {
        Write(_a, 3, 2, "two\n");
        await _serverB.DisposeAsync();

        RunOutputList runs = await _client.ListRunsAsync("digits-a");

        runs.Runs.ShouldBe([new RunOutput(3, 2, _serverA.Address, 4)]);
        runs.Unreachable.ShouldBe([_serverB.Address]);
    }

    [Fact]
    public async Task Follow_LinesArrive_EndsWhenTaskIsFinished()
    {
        string file = Write(_a, 3, 2, "begin\n");
        Pipe pipe = new();
        Task copying = _client.CopyOutputAsync("digits-a", pipe, follow: true, _limit.Token);
        await pipe.WaitForAsync("begin\n", _limit.Token);

        await File.AppendAllTextAsync(file, "more\n");
        await pipe.WaitForAsync("begin\nmore\n", _limit.Token);
        Change(summary => summary with { Status = TaskStatus.Completed });
        await copying;

        pipe.Text.ShouldBe("begin\nmore\n");
    }

    [Fact]
    public async Task Follow_FilesAreRotated_LosesNothing()
    {
        string file = Write(_a, 3, 2, "begin\n");
        Pipe pipe = new();
        Task copying = _client.CopyOutputAsync("digits-a", pipe, follow: true, _limit.Token);
        await pipe.WaitForAsync("begin\n", _limit.Token);

        await File.AppendAllTextAsync(file, "last of the first\n");
        string second = Write(_a, 3, 2, "second\n", "output-2");
        string third = Write(_a, 3, 2, "third\n", "output-3");
        long start = new FileInfo(file).Length;
        _a.SetOutput([
            new OutputFile(3, 2, second) { Start = start },
            new OutputFile(3, 2, third) { Start = start + new FileInfo(second).Length },
        ]);
        File.Delete(file);
        await pipe.WaitForAsync("begin\nlast of the first\nsecond\nthird\n", _limit.Token);
        Change(summary => summary with { Status = TaskStatus.Completed });
        await copying;
    }

    [Fact]
    public async Task Follow_NodeIsLost_GoesOnWithTheNextRunElsewhere()
    {
        Write(_a, 3, 2, "on a\n");
        Pipe pipe = new();
        Task copying = _client.CopyOutputAsync("digits-a", pipe, follow: true, _limit.Token);
        await pipe.WaitForAsync("on a\n", _limit.Token);

        await _serverA.DisposeAsync();
        Write(_b, 5, 3, "on b\n");
        _b.Change("digits-a", summary => summary with { Runs = 3 });
        await pipe.WaitForAsync("on a\non b\n", _limit.Token);
        _b.Change("digits-a", summary => summary with { Status = TaskStatus.Completed });
        await copying;

        pipe.Text.ShouldBe("on a\non b\n");
    }

    [Fact]
    public async Task Follow_ConnectionBreaks_GoesOnAtTheSameByte()
    {
        string file = Write(_a, 3, 2, "first\n");
        Pipe pipe = new();
        NodeAddress address = _serverA.Address;
        Task copying = _client.CopyOutputAsync("digits-a", pipe, follow: true, _limit.Token);
        await pipe.WaitForAsync("first\n", _limit.Token);

        await _serverA.DisposeAsync();
        await File.AppendAllTextAsync(file, "second\n");
        _b.AddOutput(new OutputFile(3, 2, file));
        await pipe.WaitForAsync("first\nsecond\n", _limit.Token);
        _b.Change("digits-a", summary => summary with { Status = TaskStatus.Completed });
        await copying;

        pipe.Text.ShouldBe("first\nsecond\n");
        _client.KnownNodes[0].ShouldNotBe(address);
    }

    private void Change(Func<Core.Tasks.TaskSummary, Core.Tasks.TaskSummary> change)
    {
        _a.Change("digits-a", change);
        _b.Change("digits-a", change);
    }

    private static ClusterMember Member(long life, NodeAddress address, string name) =>
        new(life, address, name, [], 2, MemberStatus.Up, false, 1, "1") { State = MemberState.Up };

    private string Write(FakeNode node, long term, int run, string text, string name = "output")
    {
        string path = Path.Combine(_folder, FormattableString.Invariant($"{node.View.Self}-{term}-{run}-{name}"));
        File.WriteAllText(path, text);
        node.AddOutput(new OutputFile(term, run, path));
        return path;
    }

    private async Task<string> ReadAsync(string task, bool follow)
    {
        using MemoryStream target = new();
        await _client.CopyOutputAsync(task, target, follow, _limit.Token);
        return Encoding.UTF8.GetString(target.ToArray());
    }

    /// <summary>A target that can be waited on.</summary>
    private sealed class Pipe : MemoryStream
    {
        private readonly Lock _gate = new();
        private readonly StringBuilder _text = new();
        private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Text
        {
            get
            {
                lock (_gate)
                {
                    return _text.ToString();
                }
            }
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            TaskCompletionSource changed;
            lock (_gate)
            {
                _text.Append(Encoding.UTF8.GetString(buffer.Span));
                changed = _changed;
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            changed.SetResult();
            return ValueTask.CompletedTask;
        }

        public async Task WaitForAsync(string text, CancellationToken cancellationToken)
        {
            while (true)
            {
                Task changed;
                lock (_gate)
                {
                    if (_text.ToString() == text)
                    {
                        return;
                    }

                    changed = _changed.Task;
                }

                await changed.WaitAsync(cancellationToken);
            }
        }
    }
}
