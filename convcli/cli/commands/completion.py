"""convcli completion: print the script for shell completion."""

import click

from convcli.cli import VARIABLE
from convcli.cli.command import Command
from convcli.cli.completed_words import prepare_completion

SHELLS = ("bash", "zsh", "fish")


@click.command(
    cls=Command,
    moved={"--install": "convcli completion bash >> ~/.bashrc"},
    short_help="Print the script for shell completion.",
    examples=(
        "convcli completion bash >> ~/.bashrc",
        "convcli completion fish > ~/.config/fish/completions/convcli.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that enables completion in a shell.

    It completes commands, options, kernels with their arguments, variants, padding modes, pools, networks and files.
    Add the script for bash to ~/.bashrc, or the script for zsh to ~/.zshrc below compinit; write the script for fish to
    ~/.config/fish/completions/convcli.fish. Or load it at each start of the shell: eval "$(convcli completion bash)".
    """
    from click.shell_completion import get_completion_class

    prepare_completion()
    found = get_completion_class(shell)
    assert found is not None
    root = ctx.find_root()
    click.echo(found(root.command, {}, root.info_name or "convcli", VARIABLE).source().rstrip("\n"))
