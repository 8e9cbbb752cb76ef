using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Protocol;
using ActorTrainer.Training.Storage;
using ActorTrainer.Training.Worker;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Training.Tests;

/// <summary>Large states of which the node hears before they are copied, so that it can begin to store them.</summary>
public sealed class AnnouncedStatesTests : IDisposable
{
    private const long Large = 1L << 30;
    private static readonly CheckpointSpec EachEpoch = new() { Strategy = CheckpointStrategy.Epoch, EpochInterval = 1 };

    private readonly TemporaryFolder _folder = new(inMemory: true);
    private readonly List<StagedPlace> _begun = [];
    private readonly List<FilledMessage> _filled = [];
    private readonly StagingMemory _memory;
    private readonly StagingArea _staging;
    private readonly StagingListener _listener;
    private int _step;

    public AnnouncedStatesTests()
    {
        _memory = new StagingMemory([NewArea("a"), NewArea("b"), NewArea("c")], Large, []) { TakesFilling = true };
        _staging = new StagingArea(_folder.Sub("staging"), _memory);
        _listener = new StagingListener(_begun.Add, _filled.Add);
    }

    public void Dispose()
    {
        _staging.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Stage_LargeStateThatStandsAsTheLastOne_IsAnnouncedThenFilledInOrder()
    {
        LargeTrainer trainer = new();
        await StageAllAreasAsync(trainer);
        _begun.ShouldBeEmpty("where they would stand was not known yet");
        trainer.Value = 7;

        StagedPlace place = await StageAsync(trainer);

        StagedPlace begun = _begun.ShouldHaveSingleItem();
        (begun.Id, begun.Area).ShouldBe((place.Id, place.Area));
        begun
            .Files!.Select(file => (file.Path, string.Join(' ', file.Extents)))
            .ShouldBe(place.Files!.Select(file => (file.Path, string.Join(' ', file.Extents))));
        place.IsAnnounced.ShouldBeTrue();
        _filled.ShouldAllBe(filled => filled.Id == place.Id && filled.Problem == null);
        _filled.Select(filled => filled.Bytes).ShouldBeInOrder();
        _filled.Count.ShouldBeGreaterThan(4);
        _filled.Where(filled => filled.Complete).ShouldBe([_filled[^1]]);
        _filled[^1].Files.ShouldBeNull("they stand where they were said to");
        _filled[^1].Bytes.ShouldBe(place.Files!.Max(file => file.Extents[^2] + file.Extents[^1]));
        using CheckpointReader reader = new(new MemoryFiles(new MemoryState(_memory.Areas[place.Area!.Value], place.Files!)));
        LargeTrainer loaded = new();
        await loaded.LoadAsync(reader, CancellationToken.None);
        loaded.Weights.ShouldAllBe(weight => weight == 7);
        loaded.Note.ShouldBe(trainer.Note);
    }

    [Fact]
    public async Task Stage_StateThatStandsElsewhere_SaysSoAtTheEnd()
    {
        LargeTrainer trainer = new();
        await StageAllAreasAsync(trainer);
        trainer.Note = "longer than it was before";

        StagedPlace place = await StageAsync(trainer);

        _begun.ShouldHaveSingleItem();
        (_filled[^1].Complete, _filled[^1].Files).ShouldBe((true, place.Files));
        _staging.Release(new ReleasedMessage(place.Id) { Area = place.Area });
        (await StageAsync(trainer)).IsAnnounced.ShouldBeTrue();
        (_filled[^1].Complete, _filled[^1].Files).ShouldBe((true, null), "it stands as the last one did");
    }

    [Theory]
    [InlineData(LargeTrainer.Least - 200_000, true)]
    [InlineData(LargeTrainer.Least, false)]
    public async Task Stage_SmallStateOrNodeThatDoesNotTakeIt_IsNotAnnounced(int bytes, bool taken)
    {
        using StagingArea staging = new(_folder.Sub("other"), _memory with { TakesFilling = taken });
        LargeTrainer trainer = new(bytes);
        for (int i = 0; i < 5; i++)
        {
            StagedPlace place = await staging.StageAsync(trainer, i, _listener, CancellationToken.None);
            place.IsAnnounced.ShouldBeFalse();
            staging.Release(new ReleasedMessage(place.Id) { Area = place.Area });
        }

        _begun.ShouldBeEmpty();
    }

    /// <summary>A node that is told of bytes outside of an area ends the run.</summary>
    [Fact]
    public async Task Stage_IntoAnAreaThatIsStillShorter_IsNotAnnounced()
    {
        LargeTrainer trainer = new();
        using StagingArea one = new(_folder.Sub("other"), _memory with { Areas = [_memory.Areas[0]] });
        for (int i = 0; i < 2; i++)
        {
            StagedPlace place = await one.StageAsync(trainer, i, _listener, CancellationToken.None);
            one.Release(new ReleasedMessage(place.Id) { Area = 0 });
        }

        await File.WriteAllBytesAsync(_memory.Areas[0], []);

        (await one.StageAsync(trainer, 3, _listener, CancellationToken.None)).IsAnnounced.ShouldBeFalse();
        _begun.ShouldBeEmpty();
    }

    [Fact]
    public async Task Stage_TrainerThatCannotWrite_IsSaidToFailAndItsAreaIsTheNodesToRelease()
    {
        LargeTrainer trainer = new();
        await StageAllAreasAsync(trainer);
        trainer.Fails = new IOException("No space left on device");

        await Should.ThrowAsync<IOException>(async () => await StageAsync(trainer));

        string id = _begun.ShouldHaveSingleItem().Id;
        (_filled[^1].Id, _filled[^1].Problem).ShouldBe((id, "IOException: No space left on device"));
        _filled.ShouldAllBe(filled => !filled.Complete);
        _staging.IsUnreleased(id).ShouldBeTrue();
        trainer.Fails = null;
        StagedPlace next = await StageAsync(trainer);
        next.Area.ShouldNotBe(_begun[0].Area, "the node may be reading it");
        _staging.HasRoom.ShouldBeFalse();
        _staging.Release(new ReleasedMessage(id) { Area = _begun[0].Area });
        _staging.HasRoom.ShouldBeTrue();
    }

    [Fact]
    public async Task Stage_StateThatBecameTooLarge_GoesThroughFilesUnderAnotherName()
    {
        LargeTrainer trainer = new();
        using StagingArea staging = new(_folder.Sub("other"), _memory with { Limit = LargeTrainer.Least + (1 << 20) });
        for (int i = 0; i < 4; i++)
        {
            StagedPlace place = await staging.StageAsync(trainer, i, null, CancellationToken.None);
            staging.Release(new ReleasedMessage(place.Id) { Area = place.Area });
        }

        trainer.Note = new string('x', 2 << 20);

        StagedPlace large = await staging.StageAsync(trainer, 9, _listener, CancellationToken.None);

        large.Area.ShouldBeNull();
        string announced = _begun.ShouldHaveSingleItem().Id;
        large.Id.ShouldNotBe(announced);
        _filled.Where(filled => filled.Problem is not null).ShouldHaveSingleItem().Id.ShouldBe(announced);
        _filled.ShouldAllBe(filled => !filled.Complete);
        Directory.Exists(Path.Combine(_folder.Sub("other"), large.Id)).ShouldBeTrue();
    }

    [Fact]
    public async Task RunAsync_EachEpoch_AnnouncesAllButWhatTheNodeAsksFor()
    {
        LargeTrainer trainer = new();
        await using FakeNode node = new(trainer);
        await node.BeginAsync(EachEpoch, memory: node.Memory(Large) with { TakesFilling = true });
        List<StagedMessage> states = [];
        while (states.Count < 6)
        {
            trainer.Allow();
            states.Add(await node.ExpectAsync<StagedMessage>());
            FilledMessage? last = states[^1].Filling ? await node.ExpectAsync<FilledMessage>() : null;
            while (last is { Complete: false })
            {
                last.Id.ShouldBe(states[^1].Id);
                last = await node.ExpectAsync<FilledMessage>();
            }

            await node.SendAsync(new ReleasedMessage(states[^1].Id) { Area = states[^1].Area });
        }

        states.Select(state => state.Filling).ShouldBe([false, false, true, true, true, true]);
        states[5].Stall.ShouldNotBeNull("that of the one before");
        await node.SendAsync(new CheckpointNowMessage("drain"));
        trainer.Allow();
        StagedMessage asked = await node.ExpectAsync<StagedMessage>();
        (asked.Reason, asked.Filling).ShouldBe(("drain", false));
    }

    [Fact]
    public async Task RunAsync_TrainerThatTakesLongToHandItsStateOver_AnnouncesNothing()
    {
        FakeTimeProvider time = new();
        LargeTrainer trainer = new() { OnSave = () => time.Advance(TimeSpan.FromSeconds(2.1)) };
        await using FakeNode node = new(trainer, time);
        await node.BeginAsync(EachEpoch, memory: node.Memory(Large) with { TakesFilling = true });
        for (int i = 0; i < 4; i++)
        {
            trainer.Allow();
            StagedMessage staged = await node.ExpectAsync<StagedMessage>();
            staged.Filling.ShouldBeFalse();
            await node.SendAsync(new ReleasedMessage(staged.Id) { Area = staged.Area });
        }
    }

    [Fact]
    public async Task RunAsync_AnnouncedStateThatFails_IsToldOnceAndTrainingGoesOn()
    {
        LargeTrainer trainer = new();
        await using FakeNode node = new(trainer);
        await node.BeginAsync(EachEpoch, memory: node.Memory(Large) with { TakesFilling = true });
        for (int i = 0; i < 2; i++)
        {
            trainer.Allow();
            StagedMessage staged = await node.ExpectAsync<StagedMessage>();
            await node.SendAsync(new ReleasedMessage(staged.Id) { Area = staged.Area });
        }

        trainer.Fails = new IOException("No space left on device");
        trainer.Allow();
        FilledMessage failed = await node.ExpectAsync<FilledMessage>();
        while (failed.Problem is null)
        {
            failed = await node.ExpectAsync<FilledMessage>();
        }

        failed.Problem.ShouldBe("IOException: No space left on device");
        await node.ExpectAsync<PhaseMessage>();
        trainer.Allow();
        await node.ExpectAsync<ProgressMessage>();
        node.Received.OfType<StageFailedMessage>().ShouldBeEmpty();
    }

    private string NewArea(string name)
    {
        string path = _folder.Combine(name);
        File.WriteAllBytes(path, []);
        return path;
    }

    /// <summary>So that each area has room for such a state.</summary>
    private async Task StageAllAreasAsync(LargeTrainer trainer)
    {
        foreach (int area in (int[])[0, 1, 2])
        {
            _staging.Hold([.. Enumerable.Range(0, 3).Where(other => other != area)]);
            StagedPlace place = await _staging.StageAsync(trainer, ++_step, null, CancellationToken.None);
            place.Area.ShouldBe(area);
            _staging.Release(new ReleasedMessage(place.Id) { Area = place.Area });
        }

        _staging.Hold([]);
    }

    private ValueTask<StagedPlace> StageAsync(LargeTrainer trainer) =>
        _staging.StageAsync(trainer, ++_step, _listener, CancellationToken.None);

    /// <summary>A state that is large enough, and a note; a step is an epoch, and waits until it is allowed.</summary>
    private sealed class LargeTrainer(int bytes = LargeTrainer.Least) : ITrainer
    {
        public const int Least = (64 << 20) + (64 << 10);

        private readonly SemaphoreSlim _permits = new(0);
        private readonly float[] _weights = new float[bytes / sizeof(float)];
        private long _step;

        public string Note { get; set; } = "note";

        public IOException? Fails { get; set; }

        public Action? OnSave { get; init; }

        public IReadOnlyList<float> Weights => _weights;

        public float Value
        {
            set => _weights.AsSpan().Fill(value);
        }

        public void Allow() => _permits.Release();

        public ValueTask InitializeAsync(TrainerContext context, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public async ValueTask<StepResult> StepAsync(CancellationToken cancellationToken)
        {
            await _permits.WaitAsync(cancellationToken);
            _step++;
            return new StepResult(_step, null, _step, true, false, new Dictionary<string, double>());
        }

        public ValueTask SaveAsync(CheckpointWriter writer, CancellationToken cancellationToken)
        {
            OnSave?.Invoke();
            writer.WriteTensor("weights", _weights);
            writer.WriteBytes("note", System.Text.Encoding.UTF8.GetBytes(Note));
            return Fails is null ? ValueTask.CompletedTask : throw Fails;
        }

        public ValueTask LoadAsync(CheckpointReader reader, CancellationToken cancellationToken)
        {
            reader.ReadTensor("weights", _weights);
            Note = System.Text.Encoding.UTF8.GetString(reader.ReadBytes("note"));
            return ValueTask.CompletedTask;
        }

        public ValueTask<IReadOnlyDictionary<string, double>> EvaluateAsync(CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyDictionary<string, double>>(new Dictionary<string, double>());
    }
}
