using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Discovery;

namespace ActorTrainer.Training.Tests;

public sealed class TrainerInspectorTests
{
    private static readonly string Here = typeof(TrainerInspectorTests).Assembly.Location;
    private static readonly string Space = typeof(TrainerInspectorTests).Namespace!;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Check_UsableTrainer_GivesNull(bool inFile)
    {
        Check($"{Space}.UsableTrainer", inFile).ShouldBeNull();
        Check($"{Space}.UsableTrainer+Nested", inFile).ShouldBeNull();
    }

    [Theory]
    [InlineData("AbstractTrainer", "is abstract")]
    [InlineData("HiddenTrainer", "is not public")]
    [InlineData("DemandingTrainer", "has no public constructor without parameters")]
    [InlineData("TrainerInspectorTests", "does not implement ITrainer")]
    public void Check_UnusableType_SaysWhy(string type, string reason)
    {
        Check($"{Space}.{type}", inFile: true).ShouldNotBeNull().ShouldContain(reason);
        Check($"{Space}.{type}", inFile: false).ShouldNotBeNull().ShouldContain(reason);
    }

    [Theory]
    [InlineData("UsableTrainer")]
    [InlineData("Other.Space.UsableTrainer")]
    [InlineData("ActorTrainer.Training.Tests.UseableTrainer")]
    public void Check_UnknownType_NamesSimilarOne(string type)
    {
        Check(type, inFile: true).ShouldNotBeNull().ShouldContain($"did you mean '{Space}.UsableTrainer'?");
        Check(type, inFile: false).ShouldNotBeNull().ShouldContain($"did you mean '{Space}.UsableTrainer'?");
    }

    [Fact]
    public void Check_MissingFile_SaysSo() =>
        TrainerInspector
            .Check(new TrainerSpec("A.B", "/nowhere/trainer.dll", null))
            .ShouldNotBeNull()
            .ShouldContain("/nowhere/trainer.dll does not exist");

    [Fact]
    public void Check_FileThatIsNoAssembly_SaysSo()
    {
        using TemporaryFolder folder = new();
        string path = folder.Combine("trainer.dll");
        File.WriteAllText(path, "not an assembly");

        TrainerInspector.Check(new TrainerSpec("A.B", path, null)).ShouldNotBeNull().ShouldContain("is not a .NET assembly");
    }

    [Fact]
    public void Check_EmptyType_SaysSo() =>
        TrainerInspector.Check(new TrainerSpec(" ", null, null)).ShouldNotBeNull().ShouldContain("trainer.type is empty");

    private static string? Check(string type, bool inFile) => TrainerInspector.Check(new TrainerSpec(type, inFile ? Here : null, null));
}

public abstract class AbstractTrainer : ITrainer
{
    public ValueTask InitializeAsync(TrainerContext context, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask<StepResult> StepAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(new StepResult(1, 1, 1, true, true));

    public ValueTask SaveAsync(CheckpointWriter writer, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask LoadAsync(CheckpointReader reader, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask<IReadOnlyDictionary<string, double>> EvaluateAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<string, double>>(new Dictionary<string, double>());
}

public class UsableTrainer : AbstractTrainer
{
    public sealed class Nested : AbstractTrainer;
}

internal sealed class HiddenTrainer : AbstractTrainer;

public sealed class DemandingTrainer(int number) : AbstractTrainer
{
    public int Number { get; } = number;
}
