using System.Collections.Concurrent;
using ActorTrainer.Cluster.Systems;
using Akka.Actor;
using Akka.Configuration;

namespace ActorTrainer.Cluster.Tests.Systems;

public sealed class DeadlineSchedulerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly DeadlineScheduler _scheduler = new(
        ConfigurationFactory.ParseString("akka.scheduler.shutdown-timeout = 5s"),
        Akka.Event.NoLogger.Instance
    );
    private readonly BlockingCollection<int> _fired = [];

    private IAdvancedScheduler Advanced => ((IScheduler)_scheduler).Advanced;

    public void Dispose()
    {
        _scheduler.Dispose();
        _fired.Dispose();
    }

    [Fact]
    public void ScheduleOnce_Several_FireInOrderOfTheirTimesAndNeverEarly()
    {
        TimeSpan start = _scheduler.MonotonicClock;
        ConcurrentDictionary<int, TimeSpan> at = new();
        foreach (int delay in (int[])[120, 30, 70, 30, 0])
        {
            Once(delay, () => at.TryAdd(delay, _scheduler.MonotonicClock - start));
        }

        Take(5).ShouldBe([0, 30, 30, 70, 120]);
        at.ShouldAllBe(fired => fired.Value >= TimeSpan.FromMilliseconds(fired.Key));
    }

    [Fact]
    public void ScheduleOnce_SoonerThanWhatIsWaitedFor_WakesTheThread()
    {
        Once(600_000);
        Once(1);

        Take(1).ShouldBe([1]);
    }

    [Fact]
    public void ScheduleRepeatedly_Cancelled_StopsAndLeavesTheOthers()
    {
        using Cancelable until = new((IScheduler)_scheduler);
        int fired = 0;
        Repeat(
            1,
            () =>
            {
                if (++fired == 3)
                {
                    until.Cancel();
                }
            },
            until
        );
        Once(300);

        Take(4).ShouldBe([1, 1, 1, 300]);
    }

    [Fact]
    public void ScheduleRepeatedly_TheProcessStoodStill_MakesUpForNothing()
    {
        using ManualResetEventSlim standsStill = new(initialState: true);
        using ManualResetEventSlim goOn = new();
        Repeat(
            20,
            () =>
            {
                if (standsStill.IsSet)
                {
                    standsStill.Reset();
                    goOn.Wait(Patience).ShouldBeTrue();
                }
            }
        );
        _fired.TryTake(out _, 200).ShouldBeFalse();
        TimeSpan start = _scheduler.MonotonicClock;
        goOn.Set();
        Take(4);

        // Of the ten periods that went by none is made up for: the next one is due soon, and two more take theirs.
        (_scheduler.MonotonicClock - start).ShouldBeGreaterThan(TimeSpan.FromMilliseconds(40));
    }

    [Theory]
    [InlineData(1_234, 1, 1_240)]
    [InlineData(1_234, 50, 1_240)]
    [InlineData(1_234, 200, 1_400)]
    [InlineData(1_234, 250, 1_250)]
    [InlineData(1_250, 250, 1_250)]
    [InlineData(1_251, 500, 1_500)]
    [InlineData(1_251, 5_000, 1_500)]
    [InlineData(1_251, 700, 1_300)]
    public void OnGrid_OfWhatRepeats_IsAMultipleOfItsPeriodFromAFifthToHalfASecond(int due, int period, int at) =>
        DeadlineScheduler.OnGrid(TimeSpan.FromMilliseconds(due), TimeSpan.FromMilliseconds(period)).ShouldBe(TimeSpan.FromMilliseconds(at));

    [Fact]
    public void Fire_AnActionThrows_TheNextOnesStillRun()
    {
        Advanced.ScheduleOnce(TimeSpan.Zero, () => throw new InvalidOperationException("on purpose"));
        Once(20);

        Take(1).ShouldBe([20]);
    }

    [Fact]
    public void Dispose_SomethingStillWaits_RunsItOnceAndTakesNothingMore()
    {
        Once(600_000);
        Repeat(500_000);
        _scheduler.Dispose();

        Take(2).ShouldBe([500_000, 600_000]);
        _fired.Count.ShouldBe(0);
        Should.Throw<SchedulerException>(() => Once(1)).Message.ShouldContain("has ended");
    }

    [Fact]
    public async Task ActorSystem_OfANode_UsesItForTells()
    {
        using ActorSystem system = ActorSystem.Create(
            "timers",
            "akka.scheduler.implementation = \"ActorTrainer.Cluster.Systems.DeadlineScheduler, ActorTrainer.Cluster\""
        );
        system.Scheduler.ShouldBeOfType<DeadlineScheduler>();
        Inbox inbox = Inbox.Create(system);
        system.Scheduler.ScheduleTellOnce(TimeSpan.FromMilliseconds(20), inbox.Receiver, "now", ActorRefs.NoSender);

        (await inbox.ReceiveAsync(Patience)).ShouldBe("now");
        await system.Terminate();
    }

    private void Once(int delay, Action? also = null) =>
        Advanced.ScheduleOnce(
            TimeSpan.FromMilliseconds(delay),
            () =>
            {
                also?.Invoke();
                _fired.Add(delay);
            }
        );

    private void Repeat(int interval, Action? also = null, ICancelable? until = null) =>
        Advanced.ScheduleRepeatedly(
            TimeSpan.FromMilliseconds(interval),
            TimeSpan.FromMilliseconds(interval),
            () =>
            {
                also?.Invoke();
                _fired.Add(interval);
            },
            until
        );

    private int[] Take(int count) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(_ =>
                {
                    _fired.TryTake(out int fired, Patience).ShouldBeTrue();
                    return fired;
                }),
        ];
}
