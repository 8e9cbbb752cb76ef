using ActorTrainer.Client;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Commands;

/// <summary>Submits a task, bearing a cluster that is still finding itself.</summary>
internal static class Submission
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Sends it and says so.</summary>
    public static async Task<TaskId> SendAsync(Invocation call, TaskSpec spec)
    {
        CommandAccepted accepted = await SubmitAsync(call, spec);
        call.Note(
            accepted.Existed
                ? $"task {spec.Name} is there already with this specification (id {accepted.Task})"
                : $"task {spec.Name} submitted (id {accepted.Task})"
        );
        return accepted.Task;
    }

    private static async Task<CommandAccepted> SubmitAsync(Invocation call, TaskSpec spec)
    {
        long start = call.Cli.Time.GetTimestamp();
        bool said = false;
        while (true)
        {
            try
            {
                return await call.Client.SubmitAsync(spec, call.Interrupt);
            }
            catch (ActorTrainerApiException e) when (e.IsUnavailable && call.Cli.Time.GetElapsedTime(start) < Patience)
            {
                if (!said)
                {
                    call.Note($"{e.Problem}; tries again");
                    said = true;
                }

                await Task.Delay(RetryInterval, call.Cli.Time, call.Interrupt);
            }
        }
    }
}
