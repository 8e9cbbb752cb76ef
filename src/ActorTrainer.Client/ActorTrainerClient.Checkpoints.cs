using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Client;

/// <content>Checkpoints: list, verify, restore, keep, export.</content>
public sealed partial class ActorTrainerClient
{
    /// <summary>Checkpoints of one task or of all, newest first.</summary>
    public Task<CheckpointList> ListCheckpointsAsync(string? task = null, CancellationToken cancellationToken = default) =>
        GetAsync(
            task is null ? "/v1/checkpoints" : $"/v1/checkpoints?task={Uri.EscapeDataString(task)}",
            ApiJson.Default.CheckpointList,
            cancellationToken
        );

    /// <summary>Reads and hashes everything of a checkpoint.</summary>
    public Task<CheckpointVerification> VerifyCheckpointAsync(
        string task,
        string checkpoint,
        CancellationToken cancellationToken = default
    ) =>
        _caller.CallAsync(
            new Call(HttpMethod.Post, $"{CheckpointPath(task, checkpoint)}/verify", Timeout: LongTimeout),
            ApiJson.Default.CheckpointVerification,
            cancellationToken
        );

    /// <summary>The files of a checkpoint, by path.</summary>
    public Task<CheckpointFiles> ListCheckpointFilesAsync(string task, string checkpoint, CancellationToken cancellationToken = default) =>
        GetAsync($"{CheckpointPath(task, checkpoint)}/files", ApiJson.Default.CheckpointFiles, cancellationToken);

    /// <summary>
    /// Lets a task go on from one of its checkpoints: at once, after the grace of what runs; a paused one with the next resume.
    /// </summary>
    public Task<CommandAccepted> RestoreAsync(string task, string checkpoint, CancellationToken cancellationToken = default) =>
        CommandAsync(
            $"{TaskPath(task)}/restore",
            Body(new RestoreBody(checkpoint), ApiJson.Default.RestoreBody),
            repeatable: false,
            CommandTimeout,
            cancellationToken
        );

    /// <summary>Keeps a checkpoint until <see cref="UnpinCheckpointAsync"/>. Pinning it twice is pinning it once.</summary>
    public Task<CommandAccepted> PinCheckpointAsync(string task, string checkpoint, CancellationToken cancellationToken = default) =>
        CommandAsync($"{CheckpointPath(task, checkpoint)}/pin", null, repeatable: true, CommandTimeout, cancellationToken);

    /// <summary>Lets a checkpoint be removed again when newer ones come.</summary>
    public Task<CommandAccepted> UnpinCheckpointAsync(string task, string checkpoint, CancellationToken cancellationToken = default) =>
        CommandAsync($"{CheckpointPath(task, checkpoint)}/unpin", null, repeatable: true, CommandTimeout, cancellationToken);

    /// <summary>
    /// Gives a checkpoint a name and keeps it as long as it has one. A tag that another checkpoint of the task has moves, which
    /// <see cref="CommandAccepted.Note"/> says.
    /// </summary>
    public Task<CommandAccepted> TagCheckpointAsync(
        string task,
        string checkpoint,
        string tag,
        CancellationToken cancellationToken = default
    ) => TagAsync("tag", task, checkpoint, tag, cancellationToken);

    /// <summary>Takes a tag from a checkpoint.</summary>
    public Task<CommandAccepted> UntagCheckpointAsync(
        string task,
        string checkpoint,
        string tag,
        CancellationToken cancellationToken = default
    ) => TagAsync("untag", task, checkpoint, tag, cancellationToken);

    /// <summary>
    /// Removes checkpoints of a task, all of them or, if one has to stay, none: one that is pinned, tagged or being restored, that the
    /// present run began with, or that the task would go on from.
    /// </summary>
    public Task<CommandAccepted> RemoveCheckpointsAsync(
        string task,
        IReadOnlyList<string> checkpoints,
        CancellationToken cancellationToken = default
    ) =>
        CommandAsync(
            $"/v1/checkpoints/{Uri.EscapeDataString(task)}/remove",
            Body(new RemoveBody(checkpoints), ApiJson.Default.RemoveBody),
            repeatable: false,
            CommandTimeout,
            cancellationToken
        );

    /// <summary>Removes files of a task in the store that no event names, as saves leave them that were cut off.</summary>
    /// <param name="task">The task's name or id.</param>
    /// <param name="dryRun">Whether they are only named.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public Task<TaskGarbage> CollectGarbageAsync(string task, bool dryRun, CancellationToken cancellationToken = default) =>
        _caller.CallAsync(
            new Call(
                HttpMethod.Post,
                $"/v1/checkpoints/{Uri.EscapeDataString(task)}/gc{(dryRun ? "?dryRun=true" : "")}",
                Timeout: CommandTimeout
            ),
            ApiJson.Default.TaskGarbage,
            cancellationToken
        );

    /// <summary>
    /// Writes a checkpoint's files into a folder with their modes, times and links. The node hashes everything again; when not all of it
    /// comes, what was written is removed.
    /// </summary>
    /// <param name="task">The task's name or id.</param>
    /// <param name="checkpoint">The checkpoint's name.</param>
    /// <param name="directory">A folder that is new or empty.</param>
    /// <param name="progress">Told how many bytes are written.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <returns>What was written.</returns>
    /// <exception cref="IOException">The folder is not empty, could not be written, or not all of the checkpoint came.</exception>
    public async Task<CheckpointFiles> ExportCheckpointAsync(
        string task,
        string checkpoint,
        string directory,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        CheckpointExport.RequireRoom(directory);
        CheckpointFiles files = await ListCheckpointFilesAsync(task, checkpoint, cancellationToken);
        using HttpResponseMessage response = await _caller.SendAsync(
            new Call(HttpMethod.Get, $"{CheckpointPath(task, checkpoint)}/archive", Timeout: CommandTimeout, Streamed: true),
            cancellationToken
        );
        await using Stream archive = await response.Content.ReadAsStreamAsync(cancellationToken);
        try
        {
            await new CheckpointExport(files.Files, directory, progress).WriteAsync(archive, cancellationToken);
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException)
        {
            throw new IOException(
                $"not all of checkpoint {checkpoint} came, and nothing of it was left in {directory} ({e.Message}); "
                    + $"'actortrainer checkpoints verify {task} {checkpoint}' tells whether it is damaged",
                e
            );
        }

        return files;
    }

    private Task<CommandAccepted> TagAsync(string verb, string task, string checkpoint, string tag, CancellationToken cancellationToken) =>
        CommandAsync(
            $"{CheckpointPath(task, checkpoint)}/{verb}",
            Body(new TagBody(tag), ApiJson.Default.TagBody),
            repeatable: false,
            CommandTimeout,
            cancellationToken
        );

    private static string CheckpointPath(string task, string checkpoint) =>
        $"/v1/checkpoints/{Uri.EscapeDataString(task)}/{Uri.EscapeDataString(checkpoint)}";
}
