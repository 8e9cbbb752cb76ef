using ActorTrainer.Runtime.Workers.Files;
using ActorTrainer.Runtime.Workers.Output;

namespace ActorTrainer.Runtime.Workers;

/// <content>The progress of commands, from their output.</content>
internal sealed partial class WorkerHost
{
    private async Task FollowProgressAsync(WorkerRun run, RunProgress progress)
    {
        using PeriodicTimer timer = new(RunProgress.Every, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token) && !progress.Over)
            {
                TellProgress(run, ending: false);
            }
        }
        catch (OperationCanceledException)
        {
            // The host ends.
        }
    }

    private void TellProgress(WorkerRun run, bool ending)
    {
        try
        {
            if (run.Printed?.Look(ending) is { } printed)
            {
                _ = Enqueue(() => _post(printed));
            }
        }
        catch (Exception e)
        {
            // What is shown of a run must not end it.
            LogLoopFailed(e);
        }
    }

    /// <summary>A state with the script's own step beside its number.</summary>
    private FolderCaptured WithStep(WorkerRun run, FolderCaptured captured)
    {
        // What it printed just before it saved belongs to the save.
        TellProgress(run, ending: false);
        try
        {
            return captured.State is { } state && run.Printed?.AtSave(LastWritten(StagedDirectory(run.Key, state.Id))) is { } output
                ? captured with
                {
                    State = state with { Output = output },
                }
                : captured;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return captured;
        }
    }

    /// <summary>When the last file of a state was written, logs aside.</summary>
    private static DateTimeOffset LastWritten(string staged) =>
        new DirectoryInfo(staged)
            .EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(file => FolderCapture.IsWaitedFor(file.Name) && file.Name != FolderCapture.OrderFile)
            .Select(file => (DateTimeOffset)file.LastWriteTimeUtc)
            .DefaultIfEmpty()
            .Max();
}
