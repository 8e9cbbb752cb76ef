using System.Collections.Concurrent;
using ActorTrainer.Cluster.Systems;
using ActorTrainer.Cluster.Tests.Support;
using Akka.Actor;
using Akka.Dispatch;
using Akka.TestKit.Xunit2;

namespace ActorTrainer.Cluster.Tests.Systems;

public sealed class ThreadExecutorTests() : TestKit(TestSystems.InMemory())
{
    [Fact]
    public void Execute_MoreThanThereAreThreads_RunsEachOnceOnThreadsOfItsOwn()
    {
        ThreadExecutor executor = new("own", 2);
        using BlockingCollection<(int Number, string? Thread)> done = [];
        for (int i = 0; i < 100; i++)
        {
            int number = i;
            executor.Execute(new ActionRunnable(() => done.Add((number, Thread.CurrentThread.Name))));
        }

        List<(int Number, string? Thread)> all =
        [
            .. Enumerable.Range(0, 100).Select(_ => done.TryTake(out (int, string?) one, 20_000) ? one : default),
        ];

        all.Select(one => one.Number).Order().ShouldBe(Enumerable.Range(0, 100));
        all.ShouldAllBe(one => one.Thread == "own");
        executor.Shutdown();
    }

    [Fact]
    public void Shutdown_SomethingWaits_IsStillRun()
    {
        ThreadExecutor executor = new("own", 1);
        using ManualResetEventSlim go = new();
        using CountdownEvent done = new(2);
        executor.Execute(new ActionRunnable(() => done.Signal(go.Wait(20_000) ? 1 : 0)));
        executor.Execute(new ActionRunnable(() => done.Signal()));

        executor.Shutdown();
        go.Set();

        done.Wait(20_000).ShouldBeTrue();
        Should.Throw<RejectedExecutionException>(() => executor.Execute(new ActionRunnable(() => { })));
    }

    [Theory]
    [InlineData("akka.actortrainer.heartbeat-dispatcher")]
    [InlineData("akka.actortrainer.journal-dispatcher")]
    public void DispatcherOfTheProduct_Actors_RunOnItsThreads(string dispatcher)
    {
        IActorRef actor = Sys.ActorOf(Props.Create<WhereActor>().WithDispatcher(dispatcher));

        actor.Tell("where");

        ExpectMsg<string>().ShouldStartWith(dispatcher);
    }

    private sealed class WhereActor : ReceiveActor
    {
        public WhereActor() => ReceiveAny(_ => Sender.Tell(Thread.CurrentThread.Name!));
    }
}
