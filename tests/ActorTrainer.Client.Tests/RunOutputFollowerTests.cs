using System.Text;
using ActorTrainer.Client;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Runtime.Tests.Api;

public sealed class RunOutputFollowerTests
{
    private static readonly NodeAddress A = new("127.0.0.1", 7401);
    private static readonly NodeAddress B = new("127.0.0.1", 7402);

    private readonly ScriptedSource _source = new();
    private readonly List<string> _said = [];

    [Fact]
    public async Task Follow_ReaderIsSilentWhileTheTaskRunsElsewhere_IsGivenUp()
    {
        _source.Runs = [new RunOutput(1, 1, A, 0)];
        _source.Readers[(1, 1)] = () => new Reader("on the stopped node\n", silentAtEnd: true);
        _source.Readers[(2, 2)] = () => new Reader("elsewhere\n");
        _source.Listed = count =>
        {
            if (count == 2)
            {
                _source.Runs = [new RunOutput(1, 1, A, 0), new RunOutput(2, 2, B, 0)];
            }

            _source.Finished = count > 3;
        };

        (await CopyAsync(follow: true)).ShouldBe("on the stopped node\nelsewhere\n");
    }

    [Fact]
    public async Task Follow_ReaderIsSilentAndNothingElseRuns_IsWaitedFor()
    {
        _source.Runs = [new RunOutput(1, 1, A, 0)];
        Reader slow = new("slow\n", silentAtEnd: true);
        _source.Readers[(1, 1)] = () => slow;
        _source.Listed = count =>
        {
            if (count == 6)
            {
                _source.Finished = true;
                slow.End();
            }
        };

        (await CopyAsync(follow: true)).ShouldBe("slow\n");
        _source.Opened.ShouldBe(["1/1@0"]);
    }

    [Fact]
    public async Task Follow_ReaderBreaks_IsOpenedAgainAtTheSameByte()
    {
        _source.Runs = [new RunOutput(1, 1, A, 0)];
        Queue<Reader> readers = new([new Reader("abc", breaksAtEnd: true), new Reader("def")]);
        _source.Readers[(1, 1)] = readers.Dequeue;
        _source.Listed = count => _source.Finished = count > 1;

        (await CopyAsync(follow: true)).ShouldBe("abcdef");
        _source.Opened.ShouldBe(["1/1@0", "1/1@3"]);
    }

    [Fact]
    public async Task Follow_NobodyAnswersForLongerThanPatience_Throws()
    {
        _source.Failure = new HttpRequestException("gone");

        await Should.ThrowAsync<HttpRequestException>(() => CopyAsync(follow: true, TimeSpan.Zero));
    }

    [Fact]
    public async Task Copy_ReaderBreaks_Throws()
    {
        _source.Runs = [new RunOutput(1, 1, A, 0)];
        _source.Readers[(1, 1)] = () => new Reader("abc", breaksAtEnd: true);

        await Should.ThrowAsync<IOException>(() => CopyAsync(follow: false));
    }

    [Fact]
    public async Task Follow_TargetIsClosed_IsNotTakenForALostNode()
    {
        _source.Runs = [new RunOutput(1, 1, A, 0)];
        _source.Readers[(1, 1)] = () => new Reader("abc");
        RunOutputFollower follower = new(_source, TimeProvider.System);

        await Should.ThrowAsync<OutputTargetException>(() => follower.CopyAsync(new ClosedPipe(), follow: true, CancellationToken.None));

        _source.Opened.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Copy_MiddleAndEndAreMissing_ReadsOnBehindTheGapAndSaysBoth()
    {
        _source.Runs = [new RunOutput(1, 1, A, 6) { End = 9, Missing = "the end is lost" }];
        Queue<Reader> readers = new([new Reader("abc"), new Reader("ghi") { Offset = 6, Missing = "3 to 6 is gone" }]);
        _source.Readers[(1, 1)] = readers.Dequeue;

        (await CopyAsync(follow: false)).ShouldBe("abcghi");

        _source.Opened.ShouldBe(["1/1@0", "1/1@3"]);
        _said.ShouldBe(["3 to 6 is gone", "the end is lost"]);
    }

    [Fact]
    public async Task Copy_NothingIsKept_SaysItAndOpensNothing()
    {
        _source.Runs = [new RunOutput(1, 1, A, 0) { Missing = "lost with its node" }, new RunOutput(2, 2, B, 4)];
        _source.Readers[(2, 2)] = () => new Reader("next");

        (await CopyAsync(follow: false)).ShouldBe("next");

        _source.Opened.ShouldBe(["2/2@0"]);
        _said.ShouldBe(["lost with its node"]);
    }

    [Fact]
    public async Task Follow_NodeWasReadToItsLastByte_DoesNotSayThatTheStoreHasLess()
    {
        _source.Runs = [new RunOutput(1, 1, A, 3)];
        Queue<Reader> readers = new([new Reader("abcdef", breaksAtEnd: true), new Reader("")]);
        _source.Readers[(1, 1)] = readers.Dequeue;
        _source.Listed = count =>
        {
            _source.Runs = count == 1 ? _source.Runs : [new RunOutput(1, 1, A, 3) { Missing = "lost after abc" }];
            _source.Finished = count > 2;
        };

        (await CopyAsync(follow: true)).ShouldBe("abcdef");

        _said.ShouldBeEmpty();
    }

    [Fact]
    public async Task Copy_OneRunOnTwoNodes_BothAreRead()
    {
        _source.Runs = [new RunOutput(1, 1, A, 2), new RunOutput(1, 1, B, 2)];
        Queue<Reader> readers = new([new Reader("a\n"), new Reader("b\n")]);
        _source.Readers[(1, 1)] = readers.Dequeue;

        (await CopyAsync(follow: false)).ShouldBe("a\nb\n");

        _source.Opened.ShouldBe(["1/1@0", "1/1@0"]);
    }

    private async Task<string> CopyAsync(bool follow, TimeSpan? patience = null)
    {
        RunOutputFollower follower = new(_source, TimeProvider.System)
        {
            Patience = patience ?? TimeSpan.FromMinutes(1),
            QuietInterval = TimeSpan.FromMilliseconds(20),
            Say = text =>
            {
                _said.Add(text);
                return ValueTask.CompletedTask;
            },
        };
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30), TimeProvider.System);
        using MemoryStream target = new();
        await follower.CopyAsync(target, follow, limit.Token);
        return Encoding.UTF8.GetString(target.ToArray());
    }

    private sealed class ScriptedSource : IRunOutputSource
    {
        private int _lists;

        public IReadOnlyList<RunOutput> Runs { get; set; } = [];

        public bool Finished { get; set; }

        public Exception? Failure { get; set; }

        public Action<int> Listed { get; set; } = _ => { };

        public Dictionary<(long, int), Func<Reader>> Readers { get; } = [];

        public List<string> Opened { get; } = [];

        public Task<RunOutputList> ListAsync(bool all, CancellationToken cancellationToken)
        {
            if (Failure is not null)
            {
                throw Failure;
            }

            Listed(++_lists);
            return Task.FromResult(new RunOutputList(TaskId.Parse("x-1"), Finished, Runs, []));
        }

        public Task<IRunOutputReader> OpenAsync(RunOutput run, long offset, bool follow, CancellationToken cancellationToken)
        {
            Opened.Add(FormattableString.Invariant($"{run.Term}/{run.Run}@{offset}"));
            return Task.FromResult<IRunOutputReader>(Readers[(run.Term, run.Run)]());
        }
    }

    private sealed class Reader(string text, bool silentAtEnd = false, bool breaksAtEnd = false) : IRunOutputReader
    {
        private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _reads;

        public long? Offset { get; init; }

        public string? Missing { get; init; }

        public void End() => _end.TrySetResult();

        public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            if (_reads++ == 0)
            {
                return Encoding.UTF8.GetBytes(text, buffer.Span);
            }

            if (breaksAtEnd)
            {
                throw new IOException("broken");
            }

            if (silentAtEnd)
            {
                await _end.Task.WaitAsync(cancellationToken);
            }

            return 0;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class ClosedPipe : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new IOException("Broken pipe");
    }
}
