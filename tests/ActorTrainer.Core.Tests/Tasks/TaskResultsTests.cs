using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Tasks;

public sealed class TaskResultsTests
{
    [Fact]
    public void Summarize_CompletedTask_HasItsResults()
    {
        TaskSpec spec = new() { Name = "t", Trainer = new TrainerSpec("Any", null, null) };
        TaskCompleted completed = new(null, new Dictionary<string, string> { ["accuracy"] = "0.97" });

        TaskState state = TaskState.Fold(TaskId.Parse("t-1"), null, [new TaskSubmitted(spec), completed])!;

        state.Summarize(3).Results!["accuracy"].ShouldBe("0.97");
    }
}
