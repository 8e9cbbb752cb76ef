using System.Threading.Channels;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Membership;
using ActorTrainer.Runtime.Node;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using static ActorTrainer.Runtime.Tests.Node.ClusterChangesTests;

namespace ActorTrainer.Runtime.Tests.Node;

public sealed class ObserverCallsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task OnView_Changes_AreToldOneAtATimeInOrder()
    {
        Recorder recorder = new();
        await using ObserverCalls calls = Start(recorder);

        calls.OnView(View(Member(1, MemberState.Up)));
        calls.OnView(View(Member(1, MemberState.Suspect), Member(2, MemberState.Up)));
        calls.OnView(View(Member(1, MemberState.Down), Member(2, MemberState.Up)));

        (await recorder.NextAsync(4)).ShouldBe(["NodeUp 1", "NodeSuspected 1", "NodeUp 2", "NodeLost 1"]);
        recorder.MostAtOnce.ShouldBe(1);
    }

    [Fact]
    public async Task OnView_AnObserverThrowsAndAnotherHangs_TheRestIsToldAll()
    {
        Recorder recorder = new();
        Recorder broken = new() { Fails = true };
        Recorder deaf = new() { Hangs = true };
        ObserverCalls calls = Start(broken, deaf, recorder);

        calls.OnView(View(Member(1, MemberState.Up)));
        calls.OnView(View(Member(1, MemberState.Leaving)));

        (await recorder.NextAsync(2)).ShouldBe(["NodeUp 1", "NodeLeaving 1"]);
        (await broken.NextAsync(2)).ShouldBe(["NodeUp 1", "NodeLeaving 1"]);
        await calls.DisposeAsync().AsTask().WaitAsync(Limit, TimeProvider.System);
        deaf.Cancelled.ShouldBeTrue();
    }

    [Fact]
    public async Task OnView_ObserverFarBehind_MissesWhatPassedAndKnowsTheEnd()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Recorder slow = new() { Gate = gate.Task };
        await using ObserverCalls calls = Start(slow);
        calls.OnView(View(Member(1, MemberState.Up)));
        await slow.Begun.WaitAsync(Limit, TimeProvider.System);

        for (int i = 0; i < ObserverCalls.MostViews; i++)
        {
            calls.OnView(View(Member(1, MemberState.Suspect)));
            calls.OnView(View(Member(1, MemberState.Up)));
        }

        calls.OnView(View(Member(1, MemberState.Down)));
        gate.SetResult();

        IReadOnlyList<string> told = await slow.UntilAsync("NodeLost 1");
        told[0].ShouldBe("NodeUp 1");
        told.Count.ShouldBeLessThanOrEqualTo(ObserverCalls.MostViews + 2);
    }

    [Fact]
    public async Task Dispose_ViewsWait_AreToldFirst()
    {
        Recorder recorder = new();
        ObserverCalls calls = Start(recorder);

        calls.OnView(View(Member(1, MemberState.Up)));
        await calls.DisposeAsync();

        (await recorder.NextAsync(1)).ShouldBe(["NodeUp 1"]);
    }

    [Fact]
    public async Task AddClusterObserver_ThatWantsTheNode_IsMadeWithIt()
    {
        ServiceCollection services = new();
        services.AddLogging();
        services.AddActorTrainer(
            new NodeModel
            {
                DataDir = Path.GetTempPath(),
                Checkpoints = new CheckpointStoreModel { Path = Path.GetTempPath() },
            }
        );
        List<ClusterChange> changes = [];
        services.AddClusterObserver(changes.Add).AddClusterObserver<Curious>();
        await using ServiceProvider provider = services.BuildServiceProvider();
        ClusterChange change = new(ClusterChangeKind.NodeUp, new("127.0.0.1", 7401), "node1", 1);

        IClusterObserver[] observers = [.. provider.GetServices<IClusterObserver>()];
        await observers[0].OnChangeAsync(change, CancellationToken.None);

        changes.ShouldBe([change]);
        observers[1].ShouldBeOfType<Curious>().Client.ShouldBeSameAs(provider.GetRequiredService<ActorTrainerNode>().Client);
    }

    private static ObserverCalls Start(params IClusterObserver[] observers) =>
        new(observers, TimeProvider.System, NullLogger<ObserverCalls>.Instance);

    private sealed class Curious(ITaskClient client) : IClusterObserver
    {
        public ITaskClient Client { get; } = client;

        public ValueTask OnChangeAsync(ClusterChange change, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }

    private sealed class Recorder : IClusterObserver
    {
        private readonly Channel<string> _told = Channel.CreateUnbounded<string>();
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _now;

        public bool Fails { get; init; }

        public bool Hangs { get; init; }

        public Task Gate { get; init; } = Task.CompletedTask;

        public Task Begun => _begun.Task;

        public bool Cancelled { get; private set; }

        public int MostAtOnce { get; private set; }

        public async ValueTask OnChangeAsync(ClusterChange change, CancellationToken cancellationToken)
        {
            MostAtOnce = Math.Max(MostAtOnce, Interlocked.Increment(ref _now));
            _begun.TrySetResult();
            await Gate;
            await Task.Yield();
            await _told.Writer.WriteAsync(FormattableString.Invariant($"{change.Kind} {change.Incarnation}"), CancellationToken.None);
            Interlocked.Decrement(ref _now);
            if (Hangs)
            {
                using CancellationTokenRegistration registration = cancellationToken.Register(() => Cancelled = true);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
            }

            if (Fails)
            {
                throw new InvalidOperationException("an observer's own fault");
            }
        }

        public async Task<IReadOnlyList<string>> NextAsync(int count)
        {
            using CancellationTokenSource limit = new(Limit, TimeProvider.System);
            List<string> told = [];
            while (told.Count < count)
            {
                told.Add(await _told.Reader.ReadAsync(limit.Token));
            }

            return told;
        }

        public async Task<IReadOnlyList<string>> UntilAsync(string last)
        {
            List<string> told = [];
            while (told.Count == 0 || told[^1] != last)
            {
                told.AddRange(await NextAsync(1));
            }

            return told;
        }
    }
}
