using System.Text.Json;
using ActorTrainer.Samples.Digits;

namespace ActorTrainer.Training.Tests;

/// <summary>
/// The sample's training ends with the same bits however often it was interrupted, and every part of its state is needed for that.
/// </summary>
public sealed class DigitsResumeTests : IDisposable
{
    private const string Settings = """{"seed":3,"quick":true,"epochs":3}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Resume_InterruptedAnywhere_EndsWithSameBits(int seed)
    {
        (string expected, long total) = await TrainWholeAsync();
        long step = 1 + new SeededGenerator((ulong)seed).Next((int)total - 1);
        string checkpoint = await TrainToAsync(step);

        string actual = await ResumeAsync(checkpoint);

        actual.ShouldBe(expected, $"interrupted after step {step} of {total}");
    }

    [Fact]
    public async Task Resume_AfterEachOfManySteps_EndsWithSameBits()
    {
        (string expected, _) = await TrainWholeAsync();
        string? checkpoint = null;
        string? hash = null;
        for (int run = 0; hash is null; run++)
        {
            run.ShouldBeLessThan(20);
            DigitsTrainer trainer = await CreateAsync();
            if (checkpoint is not null)
            {
                await LoadAsync(trainer, checkpoint);
            }

            bool done = await StepAsync(trainer, steps: 17);
            hash = done ? trainer.HashWeights() : null;
            checkpoint = await SaveAsync(trainer, $"run-{run}");
        }

        hash.ShouldBe(expected);
    }

    [Theory]
    [InlineData("generator")]
    [InlineData("cursor")]
    [InlineData("moments")]
    [InlineData("schedule")]
    public async Task Resume_WithoutOnePart_EndsWithOtherBits(string part)
    {
        (string expected, long total) = await TrainWholeAsync();
        string fresh = await TrainToAsync(0);
        string checkpoint = await TrainToAsync(total / 2);

        Drop(part, checkpoint, fresh);
        string actual = await ResumeAsync(checkpoint);

        actual.ShouldNotBe(expected);
    }

    [Fact]
    public async Task Load_MissingPart_IsRefusedByName()
    {
        string checkpoint = await TrainToAsync(2);
        File.Delete(Path.Combine(checkpoint, "generator.json"));
        DigitsTrainer trainer = await CreateAsync();

        CheckpointEntryException problem = await Should.ThrowAsync<CheckpointEntryException>(() => LoadAsync(trainer, checkpoint));

        problem.Entry.ShouldBe("generator");
    }

    [Fact]
    public async Task Initialize_UnknownSetting_IsRefusedByName()
    {
        using JsonDocument settings = JsonDocument.Parse("""{"epoch":3}""");
        TrainerContext context = new("digits", _folder.Path, settings.RootElement);

        TrainerSettingsException problem = await Should.ThrowAsync<TrainerSettingsException>(async () =>
            await new DigitsTrainer().InitializeAsync(context, CancellationToken.None)
        );

        problem.Message.ShouldBe(
            "trainer.settings.epoch is not known; the settings are: batch-size, data, dropout, epochs, hidden, learning-rate, "
                + "quick, seed, views."
        );
    }

    // What a run that did not save the part would start with: the part as it is before the first step.
    private static void Drop(string part, string checkpoint, string fresh)
    {
        if (part is "generator" or "cursor")
        {
            File.Copy(Path.Combine(fresh, $"{part}.json"), Path.Combine(checkpoint, $"{part}.json"), overwrite: true);
            return;
        }

        string replaced = checkpoint + "-tensors";
        using (CheckpointReader kept = new(checkpoint))
        using (CheckpointReader start = new(fresh))
        using (CheckpointWriter writer = new(replaced))
        {
            foreach (string name in kept.TensorNames)
            {
                CheckpointReader source = name.StartsWith(part + "/", StringComparison.Ordinal) ? start : kept;
                long[] shape = [.. source.ShapeOf(name)];
                long count = shape.Aggregate(1L, (product, length) => product * length);
                if (name.EndsWith("/weight", StringComparison.Ordinal) || name.EndsWith("/bias", StringComparison.Ordinal))
                {
                    float[] values = new float[count];
                    source.ReadTensor(name, values, shape);
                    writer.WriteTensor(name, values, shape);
                }
                else
                {
                    long[] values = new long[count];
                    source.ReadTensor(name, values, shape);
                    writer.WriteTensor(name, values, shape);
                }
            }

            writer.Complete();
        }

        File.Copy(Path.Combine(replaced, "state.safetensors"), Path.Combine(checkpoint, "state.safetensors"), overwrite: true);
    }

    private async Task<(string Hash, long TotalSteps)> TrainWholeAsync()
    {
        DigitsTrainer trainer = await CreateAsync();
        StepResult step;
        do
        {
            step = await trainer.StepAsync(CancellationToken.None);
        } while (!step.Done);

        return (trainer.HashWeights(), step.Step);
    }

    private async Task<string> TrainToAsync(long steps)
    {
        DigitsTrainer trainer = await CreateAsync();
        await StepAsync(trainer, steps);
        return await SaveAsync(trainer, $"step-{steps}");
    }

    private async Task<string> ResumeAsync(string checkpoint)
    {
        DigitsTrainer trainer = await CreateAsync();
        await LoadAsync(trainer, checkpoint);
        await StepAsync(trainer, long.MaxValue);
        return trainer.HashWeights();
    }

    private async Task<DigitsTrainer> CreateAsync()
    {
        using JsonDocument settings = JsonDocument.Parse(Settings);
        DigitsTrainer trainer = new();
        await trainer.InitializeAsync(new TrainerContext("digits", _folder.Path, settings.RootElement.Clone()), CancellationToken.None);
        return trainer;
    }

    private static async Task<bool> StepAsync(DigitsTrainer trainer, long steps)
    {
        for (long i = 0; i < steps; i++)
        {
            StepResult step = await trainer.StepAsync(CancellationToken.None);
            if (step.EndOfEpoch)
            {
                await trainer.EvaluateAsync(CancellationToken.None);
            }

            if (step.Done)
            {
                return true;
            }
        }

        return false;
    }

    private async Task<string> SaveAsync(DigitsTrainer trainer, string name)
    {
        string path = _folder.Combine(name);
        using CheckpointWriter writer = new(path);
        await trainer.SaveAsync(writer, CancellationToken.None);
        writer.Complete();
        return path;
    }

    private static async Task LoadAsync(DigitsTrainer trainer, string path)
    {
        using CheckpointReader reader = new(path);
        await trainer.LoadAsync(reader, CancellationToken.None);
    }
}
