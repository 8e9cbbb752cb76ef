using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cli.Commands;

/// <summary>Submits a task, bearing a cluster that is still finding itself.</summary>
internal static class Submission
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Sends it, with the files that it brings along, and says so.</summary>
    public static async Task<TaskId> SendAsync(Invocation call, TaskDraft draft)
    {
        TaskSpec spec = await Bundling.BringAsync(call, draft);
        CommandAccepted accepted = await PatientlyAsync(call, () => call.Client.SubmitAsync(spec, call.Interrupt));
        call.Note(
            accepted.Existed
                ? $"task {spec.Name} is there already{await KnownAsync(call, accepted.Task)}"
                : $"task {spec.Name} submitted (id {accepted.Task})"
        );
        return accepted.Task;
    }

    /// <summary>
    /// Since when a task is there that is submitted once more, and what has become of it: it may well be that nothing is started now.
    /// </summary>
    private static async Task<string> KnownAsync(Invocation call, TaskId task)
    {
        string which = $"with this specification (id {task})";
        TaskView view;
        try
        {
            view = (await call.Client.GetTaskAsync(task.Value, call.Interrupt)).Task;
        }
        catch (Exception e) when (e is ActorTrainerApiException || ActorTrainerClient.IsTransient(e))
        {
            // It is submitted, which was what was asked.
            return $" {which}";
        }

        string since = call.Times.Show(view.ChangedAt);
        string resume = $"'actortrainer tasks resume {view.Name}'";
        string state = view.Status switch
        {
            TaskStatus.Completed =>
                $" and has completed ({since}); nothing is started. To run it once more, submit it under another name (--name)",
            TaskStatus.Cancelled => $" and was cancelled ({since}); nothing is started. To run it, submit it under another name (--name)",
            TaskStatus.Failed =>
                $" and has failed ({since}: {view.Detail}); nothing is started. {resume} lets it go on from its last checkpoint; "
                    + "to begin anew, submit it under another name (--name)",
            TaskStatus.Held => $" and is held ({since}: {view.Detail}); nothing is started. {resume} lets it go on",
            TaskStatus.Paused => $" and is paused ({since}); nothing is started. {resume} lets it go on",
            _ => $" and is {TaskText.Status(view.Status)}",
        };
        return $": same task as of {call.Times.Show(view.SubmittedAt)}, {which}{state}";
    }

    /// <summary>Asks once more for a while where the cluster cannot do it now.</summary>
    public static async Task<T> PatientlyAsync<T>(Invocation call, Func<Task<T>> ask)
    {
        long start = call.Cli.Time.GetTimestamp();
        bool said = false;
        while (true)
        {
            try
            {
                return await ask();
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
