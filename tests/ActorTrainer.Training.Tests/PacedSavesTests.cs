using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Protocol;
using ActorTrainer.Training.Worker;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Training.Tests;

/// <summary>A worker that saves as often as it is told, and says what a save costs.</summary>
public sealed class PacedSavesTests
{
    private static readonly CheckpointSpec Adaptive = new() { Strategy = CheckpointStrategy.Adaptive };
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task RunAsync_Adaptive_SavesSoonThenAtThePaceAndNeverDuringASave()
    {
        SteppedTrainer trainer = new() { OnStep = () => _time.Advance(Second) };
        await using FakeNode node = new(trainer, _time);
        await node.BeginAsync(Adaptive);
        node.Received.OfType<HelloMessage>().Single().Paced.ShouldBeTrue();
        trainer.Allow(40);
        StagedMessage first = await node.ExpectAsync<StagedMessage>();
        (first.Step, first.Reason).ShouldBe((10, "adaptive"));
        await trainer.WaitsAfterAsync(40);

        // Three more were due meanwhile. The step that has begun is the first one after the release.
        await node.SendAsync(new ReleasedMessage(first.Id));
        trainer.Allow(1);
        StagedMessage second = await node.ExpectAsync<StagedMessage>();
        second.Step.ShouldBe(41);

        await node.SendAsync(new PaceMessage(3 * Second), new ReleasedMessage(second.Id));
        trainer.Allow(3);
        (await node.ExpectAsync<StagedMessage>()).Step.ShouldBe(44);
        node.Received.OfType<StagedMessage>().Count().ShouldBe(3);
    }

    [Fact]
    public async Task RunAsync_PaceKnownBefore_IsThatOfTheFirstSave()
    {
        SteppedTrainer trainer = new() { OnStep = () => _time.Advance(Second) };
        await using FakeNode node = new(trainer, _time);
        await node.BeginAsync(Adaptive, pace: 2 * Second);
        trainer.Allow(9);
        (await node.ExpectAsync<StagedMessage>()).Step.ShouldBe(2);
    }

    [Fact]
    public async Task RunAsync_EverySave_SaysHowLongTrainingStoodStillAndHowMuchSlowerItWas()
    {
        TimeSpan step = Second;
        SteppedTrainer trainer = new() { OnStep = () => _time.Advance(step), OnSave = () => _time.Advance(0.25 * Second) };
        await using FakeNode node = new(trainer, _time);
        await node.BeginAsync(Adaptive);
        trainer.Allow(10);
        StagedMessage first = await node.ExpectAsync<StagedMessage>();
        (first.Step, first.Stall, first.Drag).ShouldBe((10, 0.25, null));

        StagedMessage second = await StoreSlowlyAsync(first, 10);
        (second.Step, second.Stall, second.Drag).ShouldBe((18, 0.25, null));

        // One save may have met something else.
        StagedMessage third = await StoreSlowlyAsync(second, 18);
        (third.Step, third.Stall).ShouldBe((26, 0.25));
        third.Drag.ShouldNotBeNull().ShouldBe(2.0, 1e-6);

        // Four steps take half a second longer while the node stores. The fifth has begun before the release, and takes as long as ever.
        async Task<StagedMessage> StoreSlowlyAsync(StagedMessage staged, int after)
        {
            await trainer.WaitsAfterAsync(after);
            step = 1.5 * Second;
            trainer.Allow(4);
            await trainer.WaitsAfterAsync(after + 4);
            step = Second;
            await node.SendAsync(new ReleasedMessage(staged.Id));
            trainer.Allow(4);
            return await node.ExpectAsync<StagedMessage>();
        }
    }

    [Fact]
    public void Drag_StepsThatOnlyVary_IsNothing()
    {
        SaveMeter meter = new();
        Random random = new(5);
        for (int i = 0; i < 4000; i++)
        {
            meter.Step((0.9 + (0.2 * random.NextDouble())) * Second, besideSave: i % 40 > 30);
        }

        meter.Drag.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void Drag_SlowerStepsThatAlsoVary_IsFoundAndNotOverstated()
    {
        SaveMeter meter = new();
        Random random = new(5);
        for (int i = 0; i < 4000; i++)
        {
            bool beside = i % 40 > 30;
            meter.Step((0.9 + (0.2 * random.NextDouble()) + (beside ? 0.1 : 0)) * Second, beside);
        }

        // Nine steps beside each save, each a tenth of a second longer.
        meter.Drag.ShouldNotBeNull().TotalSeconds.ShouldBeInRange(0.6, 1.0);
    }

    /// <summary>A machine may stop for a moment, and a save be what happens to go on.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(10)]
    public void Drag_OneStepBesideOneSaveTookLong_IsNotTheSaves(int save)
    {
        SaveMeter meter = new();
        Random random = new(5);
        for (int i = 0; i < 40 * 12; i++)
        {
            double step = 0.9 + (0.2 * random.NextDouble()) + (i == (40 * save) - 5 ? 30 : 0);
            meter.Step(step * Second, besideSave: i % 40 > 30);
            (meter.Drag ?? TimeSpan.Zero).ShouldBe(TimeSpan.Zero, $"after step {i}");
        }
    }

    [Fact]
    public void Drag_FewStepsWithoutASave_IsNotKnown()
    {
        SaveMeter meter = new();
        for (int i = 0; i < 14; i++)
        {
            meter.Step(Second, besideSave: i % 2 == 0);
        }

        meter.Drag.ShouldBeNull();
    }
}
