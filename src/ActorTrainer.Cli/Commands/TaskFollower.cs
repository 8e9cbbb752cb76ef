using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cli.Commands;

/// <summary>Waits for a task over the loss of nodes: a time in which none answers is borne for the client's patience.</summary>
internal sealed class TaskFollower(Invocation call)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LearnInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = new ActorTrainerClientOptions().Patience;

    private long _learned;

    /// <summary>Asks for the members, so that following survives the node it began with.</summary>
    public async Task LearnAsync(CancellationToken cancellationToken)
    {
        await call.Client.LearnNodesAsync(cancellationToken);
        _learned = call.Cli.Time.GetTimestamp();
    }

    /// <summary>The task once it is finished or held; every look at it is handed on.</summary>
    public async Task<TaskView> WaitAsync(string task, Action<TaskView> seen, CancellationToken cancellationToken)
    {
        long? silentSince = null;
        while (true)
        {
            try
            {
                TaskView view = (await call.Client.GetTaskAsync(task, cancellationToken)).Task;
                if (silentSince is not null)
                {
                    call.Note("a node answers again");
                    silentSince = null;
                }

                seen(view);
                if (view.Finished || view.Status == TaskStatus.Held)
                {
                    return view;
                }

                if (call.Cli.Time.GetElapsedTime(_learned) > LearnInterval)
                {
                    await LearnAsync(cancellationToken);
                }
            }
            catch (Exception e) when (ActorTrainerClient.IsTransient(e))
            {
                if (silentSince is null)
                {
                    silentSince = call.Cli.Time.GetTimestamp();
                    call.Note($"{e.Message} (waits up to {Human.Duration(Patience)})");
                }
                else if (call.Cli.Time.GetElapsedTime(silentSince.Value) > Patience)
                {
                    throw;
                }
            }

            await Task.Delay(PollInterval, call.Cli.Time, cancellationToken);
        }
    }
}
